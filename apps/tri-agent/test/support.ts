import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { ServerProcess } from '#platform/server-process.js';

/** A data folder of its own for each test, and one call that removes them all. */
export class TemporaryHomes {
  private readonly folders: string[] = [];

  create(): string {
    const folder = mkdtempSync(join(tmpdir(), 'tri-agent-test-'));
    this.folders.push(folder);
    return folder;
  }

  removeAll(): void {
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for a condition, not for time; the deadline only says when hope is given up. */
export async function waitUntil(
  what: string,
  condition: () => Promise<boolean> | boolean,
  deadlineMs = 30_000,
): Promise<void> {
  const givenUpAt = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > givenUpAt) throw new Error(`Waited in vain until ${what}.`);
    await delay(20);
  }
}

/** Waits until the read models hold all that the log holds. */
export async function waitUntilProjected(server: ServerProcess): Promise<void> {
  await waitUntil('the read models have caught up', async () => {
    const status = (await (await server.get('/api/v1/status')).json()) as {
      log: { head: string };
      projections: readonly { position: string }[];
    };
    return status.projections.every(({ position }) => position === status.log.head);
  });
}

/**
 * Every row of every table of the read models, in a fixed order, to compare two files by. How far each
 * was built is left out: that is bookkeeping of the file, not what it says.
 */
export function tablesOf(file: string): Record<string, unknown[]> {
  const db = new Database(file, { readonly: true });
  try {
    const names = db
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'projections' ORDER BY name",
      )
      .pluck()
      .all() as string[];
    return Object.fromEntries(
      names.map((name) => [
        name,
        (db.prepare(`SELECT * FROM "${name}"`).all() as object[])
          .map((row) => JSON.stringify(row))
          .sort(),
      ]),
    );
  } finally {
    db.close();
  }
}

/** The number of events a log holds, read from its file. */
export function eventsIn(home: string): number {
  const db = new Database(join(home, 'events.db'), { readonly: true });
  try {
    return db.prepare('SELECT count(*) FROM events').pluck().get() as number;
  } finally {
    db.close();
  }
}

/** A port that was free a moment ago, for programs that must know it before they listen. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

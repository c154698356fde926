/**
 * Proves that no acknowledged event is lost when the process that wrote it is killed.
 *
 * Two processes append to one log and print the id of each event once its append has resolved. Both
 * are killed (SIGKILL) at a random moment, and the log must then hold every printed id, be sound in
 * its chain, its versions and its pages, and open again for the next round.
 *
 *     node dist/apps/tri-agent/test/log-kill.script.js [--rounds 50]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import type { NewEvent } from '#kernel/event.js';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { verifyChain } from '#eventstore/src/verify.js';

const writersPerRound = 2;
const appendersPerWriter = 8;
const eventsPerAppendMax = 5;
const lifeMsMax = 250;
const roundMsMax = 30_000;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, writer: { type: 'string' } },
});
const rounds = Number(values.rounds);
if (values.writer !== undefined) await writeForEver(values.writer);
else if (Number.isInteger(rounds) && rounds > 0) process.exitCode = await killLoop(rounds);
else throw new Error(`--rounds must be a whole number above 0, not "${values.rounds}".`);

/** One writer: half of its appenders share a stream with the other process. */
async function writeForEver(file: string): Promise<void> {
  const log = SqliteLog.open(file);
  const appender = async (number: number): Promise<void> => {
    const stream = number % 2 === 0 ? 'shared' : `own-${process.pid}-${number}`;
    for (;;) {
      const count = 1 + Math.floor(Math.random() * eventsPerAppendMax);
      const appended = await log.append(stream, 'any', Array.from({ length: count }, newEvent));
      process.stdout.write(appended.map(({ id }) => `${id}\n`).join(''));
    }
  };
  await Promise.all(Array.from({ length: appendersPerWriter }, (_, number) => appender(number)));
}

function newEvent(): NewEvent {
  return {
    id: randomUUID(),
    type: 'SessionStarted',
    data: { sessionId: 's-1', agent: 'codex', startType: 'fresh' },
    metadata: { actor: 'test', source: 'log-kill', occurredAt: new Date().toISOString() },
  };
}

/** Returns the exit code: 0 when nothing was lost. */
async function killLoop(rounds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'tri-agent-kill-'));
  const file = join(folder, 'events.db');
  const startMs = performance.now();
  let acknowledged = 0;
  let stored = 0;
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const writers = Array.from({ length: writersPerRound }, () => writeUntilKilled(file));
      const ids = (await Promise.all(writers)).flat();
      const fault = faultOf(file, ids);
      if (fault !== undefined) {
        console.error(`Round ${round}: ${fault}`);
        return 1;
      }
      acknowledged += ids.length;
    }
    stored = verifyChain(file).events;
  } finally {
    rmSync(folder, { recursive: true });
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(
    `rounds ${rounds}, kills ${rounds * writersPerRound}, acknowledged ${acknowledged}, lost 0, ` +
      `stored but not acknowledged ${stored - acknowledged}, chain ok, integrity ok, ${seconds} s`,
  );
  return 0;
}

/** The ids that a writer acknowledged before it was killed. */
async function writeUntilKilled(file: string): Promise<string[]> {
  const writer = spawn(process.execPath, [import.meta.filename, '--writer', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(writer, 'close');
  const tooSlow = setTimeout(() => writer.kill('SIGKILL'), roundMsMax);
  let printed = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  await Promise.race([once(writer.stdout, 'data'), ended]);
  await after(Math.random() * lifeMsMax);
  writer.kill('SIGKILL');
  const [, signal] = (await ended) as [number | null, string | null];
  clearTimeout(tooSlow);
  if (signal !== 'SIGKILL') throw new Error('A writer ended before it was killed; see above.');
  // What follows the last line break was cut off by the kill.
  return printed.split('\n').slice(0, -1);
}

function faultOf(file: string, ids: readonly string[]): string | undefined {
  if (ids.length === 0) return 'No event was acknowledged, so nothing was tried.';
  const db = new Database(file, { readonly: true });
  try {
    const isStored = db.prepare('SELECT 1 FROM events WHERE id = ?').pluck();
    const lost = ids.filter((id) => isStored.get(id) === undefined);
    if (lost.length > 0) return `${lost.length} of ${ids.length} acknowledged events were lost.`;
    const integrity = db.pragma('integrity_check', { simple: true });
    if (integrity !== 'ok') return `integrity_check says ${String(integrity)}.`;
  } finally {
    db.close();
  }
  const { firstBadPosition, why } = verifyChain(file);
  return why === null ? undefined : `Event ${String(firstBadPosition)}: ${why}`;
}

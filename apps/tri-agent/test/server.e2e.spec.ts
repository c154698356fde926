import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ServerProcess } from '#platform/server-process.js';
import { loadRecording, recordingGroups } from '#libs/telemetry/recordings.js';
import { survivesKills } from './server-kill.js';
import { TemporaryHomes, eventsIn, tablesOf, waitUntilProjected } from './support.js';

interface SessionList {
  readonly items: readonly {
    readonly sessionId: string;
    readonly costUsd: string;
    readonly tokens: Readonly<Record<string, number>>;
  }[];
}

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];

async function start(home = homes.create()): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home });
  running.push(server);
  return server;
}

async function send(server: ServerProcess, group: string): Promise<void> {
  for (const body of loadRecording(group).bodies) {
    const answer = await fetch(`${server.otlpUrl}${body.path}`, {
      method: 'POST',
      headers: { 'content-type': body.contentType },
      body: new Uint8Array(body.bytes),
    });
    expect(answer.status).toBe(200);
  }
}

async function sessionsOf(server: ServerProcess): Promise<SessionList['items']> {
  await waitUntilProjected(server);
  return ((await (await server.get('/api/v1/sessions?limit=500')).json()) as SessionList).items;
}

afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

describe('A recorded Claude Code session', () => {
  test('is seen with the tokens and the cost that the client itself reported', async () => {
    const server = await start();
    await send(server, 'a-plain');
    expect(await sessionsOf(server)).toMatchObject([
      {
        sessionId: loadRecording('a-plain').results[0]?.session_id,
        agent: 'claude-code',
        model: 'claude-sonnet-4-5-20250929',
        tokens: { input: 12, output: 28, cacheRead: 14_000, cacheCreation: 3_200, reasoning: null },
        costUsd: '0.016656000',
        contextTokens: 17_240,
        contextWindow: 200_000,
      },
    ]);
  });

  test('is counted once when all of it is exported again, also after a restart', async () => {
    const home = homes.create();
    const first = await start(home);
    await send(first, 'b-tools');
    const seen = await sessionsOf(first);
    const events = eventsIn(home);
    await send(first, 'b-tools');
    await first.stop();

    const second = await start(home);
    await send(second, 'b-tools');
    expect(await sessionsOf(second)).toEqual(seen);
    expect(eventsIn(home)).toBe(events);
  });

  test('costs the same in every view', async () => {
    const server = await start();
    for (const group of recordingGroups()) await send(server, group);
    const nanos = (usd: string): bigint => BigInt(usd.replace('.', ''));
    const sum = (values: readonly { costUsd: string | null }[]): bigint =>
      values.reduce((total, { costUsd }) => total + nanos(costUsd ?? '0.000000000'), 0n);
    const bySession = sum(await sessionsOf(server));
    expect(bySession).toBeGreaterThan(0n);
    for (const by of ['minute', 'hour', 'day', 'model', 'agent', 'session']) {
      const usage = (await (await server.get(`/api/v1/usage?by=${by}`)).json()) as {
        items: { costUsd: string }[];
        total: { costUsd: string };
      };
      expect({ by, nanos: sum(usage.items) }).toEqual({ by, nanos: bySession });
      expect(nanos(usage.total.costUsd)).toBe(bySession);
    }
  });
});

describe('The read models', () => {
  test('come back equal when their file is deleted', async () => {
    const home = homes.create();
    const before = await start(home);
    for (const group of recordingGroups()) await send(before, group);
    await waitUntilProjected(before);
    await before.stop();
    const file = join(home, 'read-models.db');
    const tables = tablesOf(file);
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });

    await waitUntilProjected(await start(home));
    expect(tablesOf(file)).toEqual(tables);
  });
});

describe('A server killed at random moments', () => {
  test('has every acknowledged event, and tables equal to a fresh replay', async () => {
    const report = await survivesKills(3, () => undefined);
    expect(report).toMatchObject({ lostEvents: 0, tablesEqualReplay: true });
    expect(report.acknowledged).toBeGreaterThan(0);
  }, 120_000);
});

describe('Each port', () => {
  test('answers only its own routes', async () => {
    const server = await start();
    expect((await fetch(`${server.url}/v1/logs`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${server.otlpUrl}/health/live`)).status).toBe(404);
    expect((await fetch(`${server.otlpUrl}/api/v1/sessions`)).status).toBe(404);
    expect((await fetch(`${server.otlpUrl}/metrics`)).status).toBe(404);
  });
});

describe('A start', () => {
  async function failure(
    environment: Record<string, string>,
    home = homes.create(),
  ): Promise<string> {
    return ServerProcess.start({ home, environment }).then(
      async (server) => {
        await server.stop();
        return 'it started';
      },
      (error: unknown) => (error as Error).message,
    );
  }

  test('makes the data folder and the token for its owner alone', async () => {
    const { home } = await start(join(homes.create(), 'new'));
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, 'token')).mode & 0o777).toBe(0o600);
  });

  test('says which port is taken and how to choose another', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const message = await failure({ TRI_AGENT_OTLP_HTTP_PORT: String(port) });
    other.close();
    expect(message).toContain(`Port ${port}`);
    expect(message).toContain('TRI_AGENT_OTLP_HTTP_PORT');
    expect(message).not.toMatch(/\n\s+at /);
  });

  test('says when the data folder cannot be used', async () => {
    const file = join(homes.create(), 'a-file');
    writeFileSync(file, '');
    const message = await failure({}, join(file, 'home'));
    expect(message).toMatch(/cannot be used as the data folder/);
    expect(message).not.toMatch(/\n\s+at /);
  });

  test('says when a setting is wrong', async () => {
    expect(await failure({ TRI_AGENT_HTTP_PORT: 'eighty' })).toContain(
      'TRI_AGENT_HTTP_PORT must be a port number.',
    );
  });

  test('refuses a log that a newer version wrote, and leaves it as it is', async () => {
    const home = homes.create();
    const server = await start(home);
    await send(server, 'a-plain');
    await server.stop();
    const db = new Database(join(home, 'events.db'));
    db.pragma('user_version = 9999');
    db.close();
    const bytes = readFileSync(join(home, 'events.db'));
    expect(await failure({}, home)).toMatch(/newer program/);
    expect(readFileSync(join(home, 'events.db')).equals(bytes)).toBe(true);
  });

  test('refuses a token file that others can read, and says how to mend it', async () => {
    const home = homes.create();
    writeFileSync(join(home, 'token'), 'a-token-of-my-own-choice\n');
    chmodSync(join(home, 'token'), 0o644);
    expect(await failure({}, home)).toContain('chmod 600');
  });
});

describe('The end of a server', () => {
  test('by SIGTERM is orderly', async () => {
    const server = await start();
    await send(server, 'a-plain');
    expect(await server.stop('SIGTERM')).toBe(0);
  });
});

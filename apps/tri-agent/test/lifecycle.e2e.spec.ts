import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { projectRoot } from '#platform/project-root.js';
import { ServerProcess } from '#platform/server-process.js';
import { loadRecording } from '#libs/telemetry/recordings.js';
import { TemporaryHomes, waitUntil, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];

async function start(options: { home?: string; roles?: string } = {}): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home: homes.create(), ...options });
  running.push(server);
  return server;
}

async function send(server: ServerProcess): Promise<number> {
  const [body] = loadRecording('a-plain').bodies;
  if (body === undefined) throw new Error('The recording is empty.');
  const answer = await fetch(`${server.otlpUrl}${body.path}`, {
    method: 'POST',
    headers: { 'content-type': body.contentType },
    body: new Uint8Array(body.bytes),
  });
  return answer.status;
}

function change(home: string, file: string, sql: string): void {
  const db = new Database(join(home, file), { timeout: 5_000 });
  db.exec(sql);
  db.close();
}

afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

describe('A server', () => {
  test('has a log that the command of the runbook checks', async () => {
    const server = await start();
    await server.stop();
    const env = { ...process.env, TRI_AGENT_HOME: server.home };
    const verify = ['run', '--silent', 'verify'];
    const { stdout } = await promisify(execFile)('npm', verify, { env, cwd: projectRoot() });
    expect(stdout).toContain('the chain is whole');
  });

  test('that has nothing but the watchdog runs until a signal ends it', async () => {
    const server = await start({ roles: 'watchdog' });
    // The chain of an empty log is checked long before a second server has started.
    await start({ home: server.home, roles: 'api' });
    expect(await server.stop()).toBe(0);
  });

  test('tells on its console of a log that was altered', async () => {
    const first = await start();
    expect(await send(first)).toBe(200);
    await first.stop();
    change(first.home, 'events.db', "UPDATE events SET type = 'Other' WHERE position = 1");
    const second = await start({ home: first.home, roles: 'api,watchdog' });
    await waitUntil('the damage is told', () => second.printed.includes('damaged at position 1'));
  });

  test('has the cause of an internal error on its console', async () => {
    const server = await start();
    await waitUntilProjected(server);
    change(server.home, 'read-models.db', 'ALTER TABLE usage_by_minute RENAME TO gone');
    const answer = await server.get('/api/v1/usage?by=day');
    expect(answer.status).toBe(500);
    const { reference } = (await answer.json()) as { reference: string };
    await waitUntil('the cause is told', () => server.printed.includes(reference));
  });

  test('whose projector fails ends with the reason and exit code 1', async () => {
    const server = await start();
    change(server.home, 'read-models.db', 'DROP TABLE sessions');
    expect(await send(server)).toBe(200);
    expect(await server.ended()).toBe(1);
    expect(server.printed).toContain('ends because of a bug');
    expect(server.printed).not.toContain('unsettled');
  });
});

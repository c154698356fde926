import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { loadRecording, recordingGroups } from '#libs/telemetry/recordings.js';
import { TemporaryHomes, tablesOf, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];

async function start(home: string, roles?: string): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home, ...(roles === undefined ? {} : { roles }) });
  running.push(server);
  return server;
}

async function sendEverythingRecorded(receiver: ServerProcess): Promise<void> {
  for (const name of recordingGroups()) {
    for (const body of loadRecording(name).bodies) {
      const answer = await fetch(`${receiver.otlpUrl}${body.path}`, {
        method: 'POST',
        headers: { 'content-type': body.contentType },
        body: new Uint8Array(body.bytes),
      });
      expect(answer.status).toBe(200);
    }
  }
}

afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

describe('Roles', () => {
  test('in two processes on one data folder give the same tables as one process', async () => {
    const one = await start(homes.create());
    await sendEverythingRecorded(one);
    await waitUntilProjected(one);

    const shared = homes.create();
    const receiver = await start(shared, 'receiver');
    const reader = await start(shared, 'projector,api');
    await sendEverythingRecorded(receiver);
    await waitUntilProjected(reader);

    const tables = tablesOf(join(one.home, 'read-models.db'));
    expect(tablesOf(join(shared, 'read-models.db'))).toEqual(tables);
    expect(tables['sessions']?.length).toBeGreaterThan(8);
  });

  test('open only their own ports', async () => {
    const receiver = await start(homes.create(), 'receiver');
    expect(receiver.ports.http).toBeNull();
    expect(receiver.ports.otlpHttp).not.toBeNull();

    const api = await start(homes.create(), 'api');
    expect(api.ports.otlpHttp).toBeNull();
    expect(api.ports.http).not.toBeNull();
  });

  test('have a watchdog alone stay until it is told to end', async () => {
    const watchdog = await start(homes.create(), 'watchdog');
    expect(watchdog.ports).toEqual({ http: null, otlpHttp: null, otlpGrpc: null });
    expect(await watchdog.stop()).toBe(0);
  });

  test('let only one projector work on a data folder', async () => {
    const home = homes.create();
    await start(home, 'projector,api');
    await expect(start(home, 'projector,api')).rejects.toThrow(/another.*projector/i);
  });
});

import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { loadRecording, recordingGroups, type RecordedBody } from '#libs/telemetry/recordings.js';
import { LossyProxy } from './lossy-proxy.js';
import { TemporaryHomes, eventsIn, tablesOf, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const running: ServerProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map((server) => server.stop()));
  homes.removeAll();
});

async function start(): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home: homes.create() });
  running.push(server);
  return server;
}

/** True three times in ten, in the same order in every run. */
function threeInTen(): () => boolean {
  let state = 20;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648 < 0.3;
  };
}

/** Sends until there is an answer, as exporters do; resolves with how often that took. */
async function sendUntilAnswered(
  url: string,
  { path, contentType, bytes }: RecordedBody,
): Promise<number> {
  for (let times = 1; ; times += 1) {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: new Uint8Array(bytes),
    }).catch(() => undefined);
    if (answer === undefined) continue;
    expect(answer.status).toBe(200);
    return times;
  }
}

async function sendEverythingRecorded(url: string): Promise<number> {
  let times = 0;
  for (const name of recordingGroups()) {
    for (const body of loadRecording(name).bodies) times += await sendUntilAnswered(url, body);
  }
  return times;
}

/** What a person sees: every session, and the sums by model. */
async function seen(server: ServerProcess): Promise<unknown> {
  await waitUntilProjected(server);
  const paths = [
    '/api/v1/sessions?limit=500',
    '/api/v1/usage?by=model',
    '/api/v1/usage?by=session',
  ];
  const answers = await Promise.all(paths.map((path) => server.get(path)));
  return Promise.all(answers.map((answer) => answer.json()));
}

describe('Exports whose answer is lost three times in ten, and that are sent again', () => {
  test('are counted once: tokens and cost are those of an undisturbed run', async () => {
    const undisturbed = await start();
    const bodies = await sendEverythingRecorded(undisturbed.otlpUrl);

    const server = await start();
    const proxy = await LossyProxy.start(server.ports.otlpHttp ?? 0, threeInTen());
    const sent = await sendEverythingRecorded(proxy.url);
    await proxy.stop();

    expect(sent).toBe(bodies + proxy.lost);
    expect(proxy.lost / proxy.answers).toBeGreaterThan(0.2);
    expect(await seen(server)).toEqual(await seen(undisturbed));
    expect(eventsIn(server.home)).toBe(eventsIn(undisturbed.home));
    const tables = (one: ServerProcess) => tablesOf(join(one.home, 'read-models.db'));
    expect(tables(server)).toEqual(tables(undisturbed));
  });
});

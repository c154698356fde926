import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { ServerProcess } from '#platform/server-process.js';
import { loadRecording, recordingGroups, type RecordedBody } from '#libs/telemetry/recordings.js';
import { renamer, rewrite } from '#libs/telemetry/recordings.rewrite.js';
import { eventsIn, tablesOf, waitUntilProjected } from './support.js';

export interface KillReport {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly events: number;
  /** Events that appeared when what had been acknowledged was sent again: each one was lost. */
  readonly lostEvents: number;
  readonly tablesEqualReplay: boolean;
}

interface Sent {
  readonly path: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

const clients = 4;
const killAfterMsMax = 400;

/**
 * Kills the server with SIGKILL at random moments while clients export to it, and then asks two
 * questions. Is every acknowledged export in the log? Sent again, it must add nothing. Do the read
 * models hold what the log holds? Deleted and rebuilt, they must come back equal.
 */
export async function survivesKills(
  rounds: number,
  progress: (sentence: string) => void,
): Promise<KillReport> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-kill-'));
  try {
    const acknowledged: Sent[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      acknowledged.push(...(await exportUntilKilled(home, round)));
      if (round % 10 === 0) progress(`${round} kills, ${acknowledged.length} exports acknowledged`);
    }
    const events = await settledEvents(home);
    await sendAgain(home, acknowledged);
    const lostEvents = (await settledEvents(home)) - events;
    const tablesEqualReplay = await equalsReplay(home);
    return { rounds, acknowledged: acknowledged.length, events, lostEvents, tablesEqualReplay };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function exportUntilKilled(home: string, round: number): Promise<Sent[]> {
  const server = await ServerProcess.start({ home });
  const acknowledged: Sent[] = [];
  const bodies = endlessBodies(round);
  let killed = false;
  const client = async (): Promise<void> => {
    while (!killed) {
      const sent = bodies.next().value;
      if ((await post(server, sent)) === 200) acknowledged.push(sent);
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  await delay(Math.random() * killAfterMsMax);
  await server.stop('SIGKILL');
  killed = true;
  await running;
  return acknowledged;
}

function* endlessBodies(round: number): Generator<Sent, never> {
  const recorded: readonly RecordedBody[] = recordingGroups().flatMap(
    (name) => loadRecording(name).bodies,
  );
  for (let copy = 0; ; copy += 1) {
    const rewriting = { shiftNanos: 0n, renameId: renamer(`${round}:${copy}`) };
    for (const { path, contentType, bytes, signal } of recorded) {
      yield { path, contentType, bytes: rewrite(bytes, signal, rewriting) };
    }
  }
}

/** The status of the answer, 0 when there was none. */
async function post(server: ServerProcess, { path, contentType, bytes }: Sent): Promise<number> {
  try {
    const answer = await fetch(`${server.otlpUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: new Uint8Array(bytes),
    });
    return answer.status;
  } catch {
    return 0;
  }
}

async function settledEvents(home: string): Promise<number> {
  const server = await ServerProcess.start({ home });
  await waitUntilProjected(server);
  await server.stop();
  return eventsIn(home);
}

async function sendAgain(home: string, exports: readonly Sent[]): Promise<void> {
  const server = await ServerProcess.start({ home });
  for (const sent of exports) {
    const status = await post(server, sent);
    if (status !== 200) throw new Error(`A repeated export was answered ${status}.`);
  }
  await server.stop();
}

async function equalsReplay(home: string): Promise<boolean> {
  const models = join(home, 'read-models.db');
  const live = tablesOf(models);
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${models}${suffix}`, { force: true });
  await settledEvents(home);
  return isDeepStrictEqual(live, tablesOf(models));
}

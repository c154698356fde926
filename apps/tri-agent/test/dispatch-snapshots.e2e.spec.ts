import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import { dispatchDecider } from '#libs/dispatch/dispatch.decider.js';
import type { DispatchEvent, DispatchState } from '#libs/dispatch/dispatch-state.js';
import { Snapshots } from '#libs/dispatch/snapshots.js';
import { projectRoot } from '#platform/project-root.js';
import { fingerprint } from './dispatch-oracle.js';
import { simulate } from './dispatch-simulation.js';
import { TemporaryHomes } from './support.js';

const homes = new TemporaryHomes();
const logs: SqliteLog[] = [];
const built = join(projectRoot(), 'dist/libs/dispatch/snapshot.thread.js');
const metadata = { actor: 'test', source: 'test', occurredAt: '2026-11-20T10:00:00.000Z' };
const { events } = simulate(5);
const half = Math.floor(events.length / 2);

afterAll(async () => {
  await Promise.all(logs.map((log) => log.close()));
  homes.removeAll();
});

function open(everyEvents: number) {
  const home = homes.create();
  const log = SqliteLog.open(join(home, 'events.db'));
  logs.push(log);
  const sentences: string[] = [];
  const report = (sentence: string) => sentences.push(sentence);
  const thread = pathToFileURL(built);
  return { home, log, sentences, snapshots: new Snapshots({ home, report, everyEvents, thread }) };
}

async function append(log: SqliteLog, some: readonly DispatchEvent[]): Promise<void> {
  const recorded = some.map((event) => ({ ...event, id: randomUUID(), metadata }));
  await log.append(DISPATCH_STREAM, 'any', recorded);
}

function folded(some: readonly DispatchEvent[]): string {
  return fingerprint(
    some.reduce<DispatchState>(
      (state, event) => dispatchDecider.evolve(state, event),
      dispatchDecider.initial,
    ),
  );
}

describe('The snapshots of a server', () => {
  test('are written by a thread when the stream has come far enough, and taken up again', async () => {
    const { log, snapshots, sentences } = open(100);
    expect(await snapshots.load(log)).toBeUndefined();
    await append(log, events.slice(0, half));
    await snapshots.renewIfDue(100);
    expect(await snapshots.load(log)).toBeUndefined();
    await snapshots.renewIfDue(half);
    const first = await snapshots.load(log);
    expect(first?.streamVersion).toBe(half);
    expect(fingerprint(first!.state)).toBe(folded(events.slice(0, half)));

    await append(log, events.slice(half));
    await Promise.all([snapshots.renewIfDue(events.length), snapshots.renewIfDue(events.length)]);
    const second = await snapshots.load(log);
    expect(second?.streamVersion).toBe(events.length);
    expect(fingerprint(second!.state)).toBe(folded(events));
    expect(sentences).toEqual([]);
  });

  test('that cannot be written are told of, and nothing else fails', async () => {
    const { home, log, snapshots, sentences } = open(0);
    await append(log, events.slice(0, half));
    // A file stands where the folder should be.
    writeFileSync(join(home, 'snapshots'), '');
    await snapshots.renewIfDue(half);
    expect(sentences.at(-1)).toContain('was not written');
    expect(await snapshots.load(log)).toBeUndefined();
  });

  test('do not outlast the server', async () => {
    const { log, snapshots, sentences } = open(0);
    await append(log, events);
    const renewed = snapshots.renewIfDue(events.length);
    await snapshots.stop();
    // Nothing holds the log any more.
    await renewed;
    expect(sentences).toEqual([]);
  });
});

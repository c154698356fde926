import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LogError } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { WATCH_STREAM } from '#eventstore/vocabulary/watch.events.js';
import type { NewEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { Clock } from '#platform/clock.js';
import { PositionFile } from './position-file.js';
import { Watch } from './watch.js';
import { answered, failed, prompt, second, session } from './watch.specification.js';

/** Seconds after ten o'clock, by the clock on the wall and by the one that goes on evenly. */
let wall = 0;
let even = 0;
const clock = Object.assign(new Clock(), { now: () => second(wall) });

let log: MemoryLog;
let home: string;
let watches: Watch[];
let complaints: string[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'watch-'));
  [wall, even, watches, complaints] = [100, 7, [], []];
  told = 0;
  log = new MemoryLog(() => new Date(second(wall)));
});
afterEach(async () => {
  for (const it of watches) await it.stop();
  rmSync(home, { recursive: true });
});

/** Seconds pass, and each watch looks at each of them. */
async function pass(seconds: number, ...looking: Watch[]): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 1) {
    wall += 1;
    even += 1;
    for (const watch of looking) await watch.tick();
  }
}

async function watching(): Promise<Watch> {
  const watch = new Watch({
    ...{ log, clock, exportIntervalMs: 5_000, position: new PositionFile(home) },
    report: (sentence) => complaints.push(sentence),
    elapsedMs: () => even * 1_000,
  });
  watches.push(watch);
  await watch.start();
  await caughtUp(watch);
  return watch;
}

/** Once the watches have found the loop of this marker they have read all that was told before it. */
async function caughtUp(...reading: Watch[]): Promise<void> {
  const seen = reading.map((watch) => watch.loopsSeen);
  markers += 1;
  for (let n = 0; n < 5; n += 1) await tell(failed(0, { sessionId: `marker ${markers}` }));
  await until(() => reading.every((watch, index) => watch.loopsSeen > (seen[index] ?? 0)));
}

/** The event reaches the log now. */
let told = 0;
let markers = 0;
async function tell(...events: RecordedDomainEvent[]): Promise<void> {
  for (const it of events) {
    told += 1;
    await log.append(it.stream, 'any', [newEvent(it, told)]);
  }
}

/** With an id of its own, as one that happened just now. */
function newEvent({ type, data }: RecordedDomainEvent, number: number): NewEvent {
  const id = `00000000-0000-4000-9000-${String(number).padStart(12, '0')}`;
  // One after the other, within the second before it is recorded.
  const occurredAt = new Date(second(wall - 1) + Math.min(number, 999)).toISOString();
  return { id, type, data, metadata: { actor: 'agent', source: 'test', occurredAt } };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await nextTurn();
}

/** What was noticed of the sessions that a test is about. */
async function noticed(): Promise<RecordedDomainEvent[]> {
  const all = (await log.read(WATCH_STREAM, 0, 1_000)) as RecordedDomainEvent[];
  return all.filter(({ data }) => !(data as { sessionId: string }).sessionId.startsWith('marker'));
}
const busy = { sessionId: 'busy' };
const typesNoticed = async () => (await noticed()).map(({ type }) => type);

describe('A session that falls silent', () => {
  test('is in the log once, with an estimate until it is heard of', async () => {
    const watch = await watching();
    await tell(answered(0), prompt(0));
    await caughtUp(watch);
    const since = new Date(second(wall)).toISOString();
    await pass(14, watch);
    expect(await noticed()).toEqual([]);
    await pass(16, watch);
    const pace = { estimatedNanoUsdPerMinute: 120_000_000 };
    const data = { ...session, taskId: null, since, silentMs: 15_000, ...pace };
    expect(await noticed()).toMatchObject([{ type: 'SessionWentSilent', data }]);
    expect(watch.silentNow()).toMatchObject([
      { ...session, since, silentMs: 30_000, estimatedNanoUsd: 60_000_000 },
    ]);
    expect(watch.estimatedNanoUsd('session:s1', 0, second(wall))).toBe(60_000_000);

    await tell(answered(0));
    await until(async () => (await noticed()).length > 1);
    expect(await noticed()).toMatchObject([
      { type: 'SessionWentSilent' },
      { type: 'SessionHeardAgain', data: { ...session, taskId: null, silentMs: 30_000 } },
    ]);
    expect(watch.silentNow()).toEqual([]);
    expect(watch.estimatedNanoUsd('all', 0, second(wall))).toBe(0);
  });

  test('is silent for the time that has passed, though somebody sets the clock', async () => {
    const watch = await watching();
    await tell(answered(0), prompt(0));
    await caughtUp(watch);
    wall += 86_400;
    await pass(14, watch);
    expect(await noticed()).toEqual([]);
    await pass(6, watch);
    expect(await typesNoticed()).toEqual(['SessionWentSilent']);
    expect(watch.silentNow()).toMatchObject([{ silentMs: 20_000, estimatedNanoUsd: 40_000_000 }]);
    expect(watch.estimatedNanoUsd('all', second(wall - 10), second(wall))).toBe(20_000_000);
  });

  test('is not taken for silent by a process that stood still itself', async () => {
    const watch = await watching();
    await tell(answered(0), prompt(0));
    await caughtUp(watch);
    await pass(600);
    await pass(14, watch);
    expect(await noticed()).toEqual([]);
    await pass(2, watch);
    expect(await typesNoticed()).toEqual(['SessionWentSilent']);
  });
});

describe('A watch that has much to read', () => {
  test('takes nobody for silent whose events may still be among it', async () => {
    const watch = await watching();
    await tell(answered(0), prompt(0));
    await caughtUp(watch);
    await pass(14, watch);
    const many = Array.from({ length: limits.followBatchEvents }, () => answered(0, busy));
    const [first] = many;
    await log.append(
      ...([first?.stream ?? '', 'any'] as const),
      many.map((it, n) => newEvent(it, 500_000 + n)),
    );
    await caughtUp(watch);
    await pass(14, watch);
    expect(await noticed()).toEqual([]);
    await pass(1, watch);
    expect(await typesNoticed()).toEqual(['SessionWentSilent']);
  });
});

describe('After a restart', () => {
  const all = ['LoopDetected', 'SessionWentSilent'];
  async function silentAndLooping(...by: Watch[]): Promise<void> {
    await tell(answered(0), ...Array.from({ length: 6 }, () => failed(0)));
    await tell(prompt(0, { sessionId: 's2' }));
    await caughtUp(...by);
    await pass(16, ...by);
    expect(await typesNoticed()).toEqual(all);
  }

  test('what was silent is silent still, and nothing is told twice', async () => {
    const before = await watching();
    await silentAndLooping(before);
    await before.stop();
    await pass(60);
    const after = await watching();
    expect(after.silentNow()).toMatchObject([{ sessionId: 's2', nanoUsdPerMinute: null }]);
    const ofLate = after.loopsOfLate().filter(({ sessionId }) => sessionId === 's1');
    expect(ofLate).toMatchObject([{ what: 'request', name: 'claude-x', times: 5 }]);
    await pass(30, after);
    await tell(failed(0), failed(0));
    await caughtUp(after);
    expect(await typesNoticed()).toEqual(all);
    await tell(answered(0, { sessionId: 's2' }));
    await until(async () => (await noticed()).length > all.length);
    expect(await typesNoticed()).toEqual([...all, 'SessionHeardAgain']);
  });

  test('a session has its full time again before it counts as silent', async () => {
    const before = await watching();
    await pass(1, before);
    await before.stop();
    await tell(prompt(0));
    await pass(60);
    const after = await watching();
    await pass(14, after);
    expect(await noticed()).toEqual([]);
    await pass(1, after);
    expect(await noticed()).toMatchObject([
      { type: 'SessionWentSilent', data: { ...session, silentMs: 75_000 } },
    ]);
  });

  test('a position of another log, or none that can be read, is left aside', async () => {
    for (const text of ['99999999', 'nonsense', '']) {
      writeFileSync(join(home, 'watch-position'), text);
      const watch = await watching();
      await pass(1, watch);
      await watch.stop();
      expect(readFileSync(join(home, 'watch-position'), 'utf8')).toMatch(/^\d{1,3}\n$/);
    }
    expect(complaints).toEqual([]);
  });

  test('two processes that watch the same log tell each thing once', async () => {
    const both = [await watching(), await watching()];
    await silentAndLooping(...both);
    await tell(answered(0, { sessionId: 's2' }));
    await caughtUp(...both);
    expect(await typesNoticed()).toEqual([...all, 'SessionHeardAgain']);
    expect(both.map((watch) => watch.silentNow())).toEqual([[], []]);
  });
});

describe('A log that refuses for a while', () => {
  test('is told of once, and has everything in the end', async () => {
    const watch = await watching();
    const append = log.append.bind(log);
    let isRefusing = true;
    log.append = (stream, expected, events) =>
      isRefusing && stream === WATCH_STREAM
        ? Promise.reject(new LogError('LOG_UNAVAILABLE', 'The disk is full.'))
        : append(stream, expected, events);
    await tell(...Array.from({ length: 5 }, () => failed(0)));
    await until(() => complaints.length > 0);
    await watch.tick();
    expect(complaints).toEqual(['Silent sessions and loops are not noticed: The disk is full.']);
    isRefusing = false;
    await watch.tick();
    expect(await typesNoticed()).toEqual(['LoopDetected']);
  });
});

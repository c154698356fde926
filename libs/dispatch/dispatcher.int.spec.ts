import { jest } from '@jest/globals';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import { Clock } from '#platform/clock.js';
import type { RegisterWorker, TaskSpec } from './commands.js';
import type { DispatchEvent, RunningAttempt } from './dispatch-state.js';
import { Dispatcher } from './dispatcher.js';
import { beatEveryMs } from './signs.js';

const { leaseMs } = limits;
const everyMs = beatEveryMs(leaseMs);
const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
const jumpsMs = [hourMs, -hourMs, 2 * dayMs, -2 * dayMs, 0];

/** A clock that somebody sets. */
class WallClock extends Clock {
  aheadMs = 0;

  override now(): number {
    return super.now() + this.aheadMs;
  }
}

let log: MemoryLog;
let wall: WallClock;
let dispatcher: Dispatcher;
beforeEach(() => {
  jest.useFakeTimers();
  log = new MemoryLog();
  wall = new WallClock();
  dispatcher = makeDispatcher();
});
afterEach(() => {
  jest.useRealTimers();
});

function makeDispatcher(): Dispatcher {
  const report = (sentence: string) => {
    throw new Error(sentence);
  };
  const made = new Dispatcher({ log, clock: wall, leaseMs, budgets: () => [], report });
  made.start();
  return made;
}

/** Lets time pass until there is an answer: what is decided waits for the next turn. */
async function answered<Value>(asked: Promise<Value>): Promise<Value> {
  const ended = new AbortController();
  const settled = asked.finally(() => {
    ended.abort();
  });
  settled.catch(() => undefined);
  while (!ended.signal.aborted) await jest.advanceTimersByTimeAsync(1);
  return settled;
}

const task: TaskSpec = {
  ...{ taskId: 't', idempotencyKey: null, dependsOn: [], agent: 'any', model: null },
  ...{ lane: 'normal', shard: 'impl', size: 'large', team: null, project: null, tags: [] },
  ...{ promptHash: 'hash', promptCharacters: 1, directory: null, repository: null, ref: null },
  ...{ permissionMode: null, attemptsMax: 3, reserveNanoUsd: 0, timeoutMs: dayMs },
  ...{ allowedTools: [], maxCostNanoUsd: null },
};

const worker: RegisterWorker['worker'] = {
  ...{ workerId: 'w', tokenHash: 'hash', host: 'h', slots: 1, shards: ['impl'] },
  ...{ agents: [], containment: null },
  seats: [{ agent: 'codex', provider: 'openai', account: 'default', models: [] }],
};

async function running(): Promise<RunningAttempt> {
  await answered(dispatcher.order({ type: 'submit', tasks: [task] }, 'test'));
  await answered(dispatcher.order({ type: 'register-worker', worker }, 'test'));
  const attempt = await answered(dispatcher.claim('w', 'a', 'test', undefined));
  return attempt!;
}

async function beat({ attemptId, fencingToken }: RunningAttempt): Promise<void> {
  await answered(dispatcher.move({ type: 'beat', attemptId, fencingToken }, 'test'));
}

async function events(): Promise<DispatchEvent[]> {
  return (await log.read(DISPATCH_STREAM, 0, 1_000)) as unknown as DispatchEvent[];
}

const expiries = async () => (await events()).filter(({ type }) => type === 'LeaseExpired');

describe('When somebody sets the clock on the wall', () => {
  test('a worker that beats keeps its task, and is told times of that clock', async () => {
    const attempt = await running();
    for (const aheadMs of jumpsMs) {
      wall.aheadMs = aheadMs;
      await jest.advanceTimersByTimeAsync(everyMs);
      await beat(attempt);
      const leaseUntil = Date.parse(dispatcher.wallTimeOf(dispatcher.nowMs + leaseMs));
      expect(Math.abs(leaseUntil - wall.now() - leaseMs)).toBeLessThanOrEqual(1);
    }
    expect(await expiries()).toEqual([]);
    await dispatcher.stop();
  });

  test.each(jumpsMs)('by %d ms, a silent worker loses its task after its lease', async (jumpMs) => {
    await running();
    wall.aheadMs = jumpMs;
    await jest.advanceTimersByTimeAsync(leaseMs - limits.dispatchTickMs);
    expect(await expiries()).toEqual([]);
    await jest.advanceTimersByTimeAsync(3 * limits.dispatchTickMs);
    expect(await expiries()).toHaveLength(1);
    await dispatcher.stop();
  });

  test('what happens is told in its order', async () => {
    const attempt = await running();
    for (const aheadMs of jumpsMs) {
      wall.aheadMs = aheadMs;
      await jest.advanceTimersByTimeAsync(everyMs);
      const { attemptId, fencingToken } = attempt;
      const percent = 10 * (jumpsMs.indexOf(aheadMs) + 1);
      const move = { type: 'start', attemptId, fencingToken, sessionId: null } as const;
      await answered(dispatcher.move(move, 'test'));
      await answered(dispatcher.move({ ...move, type: 'progress', percent }, 'test'));
    }
    const moments = (await events()).map(({ data }) => data.atMs);
    expect(moments.length).toBeGreaterThan(2 + jumpsMs.length);
    expect(moments).toEqual(moments.toSorted((a, b) => a - b));
    await dispatcher.stop();
  });
});

describe('A claim that comes again', () => {
  const forLong = () => new AbortController().signal;

  test('gives the same attempt while it runs', async () => {
    const { attemptId, fencingToken } = await running();
    const again = await answered(dispatcher.claim('w', attemptId, 'test', forLong()));
    expect(again?.fencingToken).toBe(fencingToken);
    await dispatcher.stop();
  });

  test('does not wait for an attempt that was given back, as nobody was there to be told', async () => {
    const { attemptId, fencingToken } = await running();
    const release = { type: 'release', attemptId, fencingToken, reason: '' } as const;
    await answered(dispatcher.move(release, 'test'));
    expect(await answered(dispatcher.claim('w', attemptId, 'test', forLong()))).toBeUndefined();
    expect(await answered(dispatcher.claim('w', 'b', 'test', forLong()))).toBeDefined();
    await dispatcher.stop();
  });
});

describe('A server that stood still', () => {
  test.each([
    ['a third of a lease', everyMs + 1, 1],
    ['many leases', 10 * leaseMs, 1],
    ['less than lies between two beats', everyMs - limits.dispatchTickMs, 0],
  ])('for %s (%d ms) renews leases %d times', async (_, awayMs, renewals) => {
    await running();
    // The machine's monotonic clock goes on, and no timer fires.
    await jest.advanceTimersByTimeAsync(limits.dispatchTickMs);
    const before = performance.now();
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => before + awayMs);
    await jest.advanceTimersByTimeAsync(limits.dispatchTickMs);
    const renewed = (await events()).filter(({ type }) => type === 'LeasesRenewed');
    clock.mockRestore();
    expect(renewed).toHaveLength(renewals);
    expect(await expiries()).toEqual([]);
    await dispatcher.stop();
  });

  test('was away while no server ran: what runs has a fresh lease, and no time has passed', async () => {
    const attempt = await running();
    await dispatcher.stop();
    await jest.advanceTimersByTimeAsync(10 * leaseMs);
    dispatcher = makeDispatcher();
    await beat(attempt);
    await jest.advanceTimersByTimeAsync(leaseMs - limits.dispatchTickMs);
    expect(await expiries()).toEqual([]);
    const [claimed, renewed] = (await events()).slice(-2);
    expect(renewed?.type).toBe('LeasesRenewed');
    expect(renewed!.data.atMs - claimed!.data.atMs).toBeLessThan(limits.dispatchTickMs);
    await dispatcher.stop();
  });
});

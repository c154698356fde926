import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LIMIT_USD, TripRig, type Spender } from '../../tri-agent/test/trip-rig.js';
import { round, type Row } from './report.js';

/** One trip: milliseconds from the arrival of the usage, step by step. */
interface Timed {
  readonly detectMs: number;
  readonly decideMs: number;
  readonly signalMs: number;
  readonly verifyMs: number;
  readonly allGoneMs: number;
}

/** Promises of the kill switch: from the event to the last process gone. */
const limitMs = { heeding: 2_000, ignoring: 7_000 };
const sideBySide = 10;

/** Agents of workers export every second. */
const exportMs = 1_000;
const burnUsdPerMinute = 10;
const overrunUsdMax = 1.5;

/** From the usage event's arrival to the last process gone, of agents that heed TERM and that do not. */
export async function benchKill(trips: number): Promise<Row[]> {
  const rig = new TripRig();
  try {
    await rig.start(sideBySide);
    const heeding: Timed[] = [];
    for (let n = 0; n < trips; n += 1) {
      heeding.push(await trip(rig, await rig.begin({ heedsTerm: true })));
    }
    const ignoring: Timed[] = [];
    while (ignoring.length < trips) {
      const some = Math.min(sideBySide, trips - ignoring.length);
      // Begun together, so that starting the next disturbs none that is being ended.
      const spenders = await Promise.all(
        Array.from({ length: some }, () => rig.begin({ heedsTerm: false })),
      );
      ignoring.push(...(await Promise.all(spenders.map((spender) => trip(rig, spender)))));
    }
    const spenders = await Promise.all(
      Array.from({ length: sideBySide }, () => rig.begin({ heedsTerm: true })),
    );
    const overruns = await Promise.all(spenders.map((spender) => overrunUsdOf(rig, spender)));
    return [
      rowOf('kill: agents that heed TERM', heeding, limitMs.heeding),
      rowOf('kill: agents that ignore TERM (5 s of grace)', ignoring, limitMs.ignoring),
      overrunRowOf(overruns.sort((a, b) => a - b)),
    ];
  } finally {
    await rig.stop();
  }
}

async function trip(rig: TripRig, spender: Spender): Promise<Timed> {
  const arrivedAtMs = Date.now();
  const [goneAtMs] = await Promise.all([
    rig.untilGone(spender, 30_000),
    rig.spend(spender, randomUUID()),
  ]);
  const { trippedAtMs, orderedAtMs, confirmedAtMs } = await rig.timesOf(spender);
  return {
    detectMs: trippedAtMs - arrivedAtMs,
    decideMs: orderedAtMs - trippedAtMs,
    signalMs: goneAtMs - orderedAtMs,
    verifyMs: confirmedAtMs - goneAtMs,
    allGoneMs: goneAtMs - arrivedAtMs,
  };
}

/** It spends until it is gone, and tells of that as agents do. The request in flight is not counted. */
async function overrunUsdOf(rig: TripRig, spender: Spender): Promise<number> {
  const costUsd = (burnUsdPerMinute * exportMs) / 60_000;
  let spentUsd = 0;
  const gone = new AbortController();
  const watched = rig.untilGone(spender, 60_000).finally(() => {
    gone.abort();
  });
  while (!gone.signal.aborted) {
    spentUsd += costUsd;
    await rig.spend(spender, randomUUID(), costUsd);
    await delay(exportMs, undefined, { signal: gone.signal }).catch(() => undefined);
  }
  await watched;
  return spentUsd - LIMIT_USD;
}

function overrunRowOf(sorted: readonly number[]): Row {
  const most = sorted.at(-1) ?? 0;
  return {
    benchmark: `kill: spent beyond the limit at $${burnUsdPerMinute} a minute, told every second`,
    trips: sorted.length,
    'overrun p50, $': round(sorted[Math.floor(sorted.length / 2)] ?? 0, 3),
    'overrun max, $': round(most, 3),
    'limit, $': overrunUsdMax,
    'max / limit': round(most / overrunUsdMax, 2),
  };
}

function rowOf(benchmark: string, timed: readonly Timed[], limit: number): Row {
  const told = (name: string, of: (one: Timed) => number): Row => {
    const sorted = timed.map(of).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
    return { [`${name} p50`]: round(at(0.5)), [`${name} p99`]: round(at(0.99)) };
  };
  const p99 = Number(told('all', ({ allGoneMs }) => allGoneMs)['all p99']);
  return {
    benchmark,
    trips: timed.length,
    ...told('detect (usage in -> budget tripped), ms', ({ detectMs }) => detectMs),
    ...told('decide (tripped -> kill ordered), ms', ({ decideMs }) => decideMs),
    ...told('signal (ordered -> last process gone), ms', ({ signalMs }) => signalMs),
    ...told('verify (gone -> confirmed in the log), ms', ({ verifyMs }) => verifyMs),
    ...told('usage in -> all gone, ms', ({ allGoneMs }) => allGoneMs),
    'limit, ms': limit,
    'p99 / limit': round(p99 / limit, 2),
  };
}

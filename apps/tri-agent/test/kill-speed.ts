import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LIMIT_USD, TripRig, type Spender } from './trip-rig.js';

/** One trip: milliseconds from the arrival of the usage, step by step. */
interface TimedTrip {
  readonly detectMs: number;
  readonly decideMs: number;
  readonly signalMs: number;
  readonly verifyMs: number;
  readonly allGoneMs: number;
}

export interface KillSpeed {
  readonly heeding: readonly TimedTrip[];
  readonly ignoring: readonly TimedTrip[];
  /** US dollars spent beyond the limit, at this pace. */
  readonly overrunsUsd: readonly number[];
  readonly burnUsdPerMinute: number;
}

const sideBySide = 10;
/** Agents of workers export every second. */
const exportMs = 1_000;
const burnUsdPerMinute = 10;

/** From the usage event's arrival to the last process gone, of agents that heed TERM and that do not. */
export async function measureKills(trips: number): Promise<KillSpeed> {
  const rig = new TripRig();
  try {
    await rig.start(sideBySide);
    const heeding: TimedTrip[] = [];
    for (let n = 0; n < trips; n += 1) {
      heeding.push(await trip(rig, await rig.begin({ heedsTerm: true })));
    }
    const ignoring: TimedTrip[] = [];
    while (ignoring.length < trips) {
      const some = Math.min(sideBySide, trips - ignoring.length);
      // Begun together, so that starting the next disturbs none that is being ended.
      const spenders = await begin(rig, some, false);
      ignoring.push(...(await Promise.all(spenders.map((spender) => trip(rig, spender)))));
    }
    const spenders = await begin(rig, sideBySide, true);
    const overrunsUsd = await Promise.all(spenders.map((spender) => overrunUsdOf(rig, spender)));
    return { heeding, ignoring, overrunsUsd, burnUsdPerMinute };
  } finally {
    await rig.stop();
  }
}

function begin(rig: TripRig, count: number, heedsTerm: boolean): Promise<Spender[]> {
  return Promise.all(Array.from({ length: count }, () => rig.begin({ heedsTerm })));
}

async function trip(rig: TripRig, spender: Spender): Promise<TimedTrip> {
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

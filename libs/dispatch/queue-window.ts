import type { Shard } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import type { DispatchEvent } from './dispatch-state.js';

/** What a shard saw in a time. */
export interface ShardSums {
  /** Tasks that came in. */
  arrivals: number;
  /** Attempts that ended, however they did, and how long they took together. */
  served: number;
  servedMs: number;
  claims: number;
  waitedMs: number;
  waitedMsMax: number;
  /** How many of the claims waited how long: see `binOf`. */
  readonly claimsByWait: Map<number, number>;
}

interface Minute extends ShardSums {
  readonly minute: number;
}

const minuteMs = 60_000;
/** The minute under way, and as many whole ones as the window has. */
const minutesKept = limits.queueWindowMinutes + 1;

/**
 * What happened in the last hour of the clock of dispatch, by shard and minute, so that figures of the
 * queue can be read at any time without looking at a single event, in memory that does not grow.
 */
export class QueueWindow {
  /** The oldest first. */
  private readonly minutes: Record<Shard, Minute[]> = { impl: [], review: [], architect: [] };

  /** @param sinceMs from when on events are observed, on the clock of dispatch */
  constructor(private readonly sinceMs: number) {}

  /**
   * @param shardOf undefined when the task is not known: then the event counts nowhere. It is not
   *   asked of a task that is just submitted.
   */
  observe(event: DispatchEvent, shardOf: (taskId: string) => Shard | undefined): void {
    const { type, data } = event;
    if (!('taskId' in data)) return;
    const shard = type === 'TaskSubmitted' ? data.shard : shardOf(data.taskId);
    if (shard === undefined) return;
    const minute = this.minuteOf(shard, data.atMs);
    if (type === 'TaskSubmitted') minute.arrivals += 1;
    else if (type === 'TaskClaimed') countWait(minute, data.waitedMs);
    else if ('durationMs' in data) {
      minute.served += 1;
      minute.servedMs += data.durationMs;
    }
  }

  /** How long the window is: an hour, or what has passed since the beginning, but no less than a minute. */
  lengthMs(nowMs: number): number {
    const oldestMs = (minuteAt(nowMs) - limits.queueWindowMinutes) * minuteMs;
    return Math.max(minuteMs, nowMs - Math.max(this.sinceMs, oldestMs));
  }

  /** What the shard saw in the window. */
  of(shard: Shard, nowMs: number): ShardSums {
    const total = nothing();
    for (const it of this.minutes[shard]) {
      if (it.minute <= minuteAt(nowMs) - minutesKept) continue;
      total.arrivals += it.arrivals;
      total.served += it.served;
      total.servedMs += it.servedMs;
      total.claims += it.claims;
      total.waitedMs += it.waitedMs;
      total.waitedMsMax = Math.max(total.waitedMsMax, it.waitedMsMax);
      for (const [bin, claims] of it.claimsByWait) addTo(total.claimsByWait, bin, claims);
    }
    return total;
  }

  private minuteOf(shard: Shard, atMs: number): Minute {
    const minute = minuteAt(atMs);
    const kept = this.minutes[shard];
    const newest = kept.at(-1);
    // Time never runs back.
    if (newest !== undefined && newest.minute >= minute) return newest;
    const fresh = { minute, ...nothing() };
    kept.push(fresh);
    if (kept.length > minutesKept) kept.shift();
    return fresh;
  }
}

/**
 * The wait that 95 of 100 claims did not exceed, by nearest rank, at most a fifth too long; null
 * while there was no claim.
 */
export function waitP95Ms({ claims, claimsByWait, waitedMsMax }: ShardSums): number | null {
  if (claims === 0) return null;
  let left = Math.ceil(claims * 0.95);
  for (const [bin, count] of [...claimsByWait].sort(([a], [b]) => a - b)) {
    left -= count;
    if (left <= 0) return Math.min(waitedMsMax, longestOf(bin));
  }
  return waitedMsMax;
}

/** Four bins for each doubling of the wait: there are few, however long tasks wait. */
function binOf(waitedMs: number): number {
  return Math.ceil(4 * Math.log2(waitedMs + 1));
}

function longestOf(bin: number): number {
  return Math.round(2 ** (bin / 4)) - 1;
}

function countWait(sums: ShardSums, waitedMs: number): void {
  sums.claims += 1;
  sums.waitedMs += waitedMs;
  sums.waitedMsMax = Math.max(sums.waitedMsMax, waitedMs);
  addTo(sums.claimsByWait, binOf(waitedMs), 1);
}

function addTo(counts: Map<number, number>, key: number, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function minuteAt(atMs: number): number {
  return Math.floor(atMs / minuteMs);
}

function nothing(): ShardSums {
  const counts = { arrivals: 0, served: 0, servedMs: 0, claims: 0, waitedMs: 0, waitedMsMax: 0 };
  return { ...counts, claimsByWait: new Map() };
}

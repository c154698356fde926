import { shard as shards, type Shard } from '#eventstore/vocabulary/dispatch.events.js';
import { waitP95Ms, type QueueWindow, type ShardSums } from './queue-window.js';

/** How loaded a shard is: what queueing theory (M/M/c) expects, beside what was seen. */
export interface ShardFigures {
  readonly shard: Shard;
  /** λ: tasks that came in. */
  readonly arrivalsPerHour: number;
  /** μ: what one slot gets done; null while nothing ended. */
  readonly servedPerHourPerSlot: number | null;
  /** c */
  readonly slots: number;
  /** ρ = λ / (c μ): from 1 on the queue grows for as long as it stays so. */
  readonly utilisation: number | null;
  /** Wq: null while it is not known, or without end. */
  readonly expectedWaitMs: number | null;
  /** p95 is at most a fifth too long. */
  readonly observedWaitMs: {
    readonly mean: number;
    readonly p95: number;
    readonly max: number;
  } | null;
}

const hourMs = 60 * 60_000;

/** @param slotsOf how many attempts of a shard can run at once */
export function queueFigures(
  window: QueueWindow,
  nowMs: number,
  slotsOf: (shard: Shard) => number,
): ShardFigures[] {
  return shards.options.map((shard) => {
    const seen = window.of(shard, nowMs);
    const arrivalsPerHour = (seen.arrivals * hourMs) / window.lengthMs(nowMs);
    const servedPerHourPerSlot =
      seen.servedMs === 0 ? null : (seen.served * hourMs) / seen.servedMs;
    const slots = slotsOf(shard);
    return {
      shard,
      arrivalsPerHour,
      servedPerHourPerSlot,
      slots,
      ...expected(arrivalsPerHour, servedPerHourPerSlot, slots),
      observedWaitMs: observedWait(seen),
    };
  });
}

function observedWait(seen: ShardSums): ShardFigures['observedWaitMs'] {
  const { claims, waitedMs, waitedMsMax } = seen;
  const p95 = waitP95Ms(seen);
  return p95 === null ? null : { mean: waitedMs / claims, p95, max: waitedMsMax };
}

function expected(
  arrivals: number,
  served: number | null,
  slots: number,
): Pick<ShardFigures, 'utilisation' | 'expectedWaitMs'> {
  if (served === null || slots === 0) return { utilisation: null, expectedWaitMs: null };
  const utilisation = arrivals / (slots * served);
  if (utilisation >= 1) return { utilisation, expectedWaitMs: null };
  const waitHours = mustWait(arrivals / served, slots) / (slots * served - arrivals);
  return { utilisation, expectedWaitMs: waitHours * hourMs };
}

/** Erlang C: how likely it is that all slots are busy; by way of Erlang B, which does not overflow. */
function mustWait(offered: number, slots: number): number {
  let blocked = 1;
  for (let n = 1; n <= slots; n += 1) blocked = (offered * blocked) / (n + offered * blocked);
  return blocked / (1 - (offered / slots) * (1 - blocked));
}

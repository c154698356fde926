import { shard as shards, type Shard } from '#eventstore/vocabulary/dispatch.events.js';
import type { DispatchEvent } from './dispatch-state.js';

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
  readonly observedWaitMs: { readonly mean: number; readonly max: number } | null;
}

export interface FiguresOf {
  /** Those of the window, in order. */
  readonly events: readonly DispatchEvent[];
  readonly windowMs: number;
  /** undefined when the task is not known. */
  readonly shardOf: (taskId: string) => Shard | undefined;
  readonly slotsOf: (shard: Shard) => number;
}

const hourMs = 60 * 60_000;

export function queueFigures({ events, windowMs, shardOf, slotsOf }: FiguresOf): ShardFigures[] {
  return shards.options.map((shard) => {
    const own = events.filter(({ data }) => 'taskId' in data && shardOf(data.taskId) === shard);
    const arrivals = own.filter(({ type }) => type === 'TaskSubmitted').length;
    const waits = own.flatMap(({ type, data }) => (type === 'TaskClaimed' ? [data.waitedMs] : []));
    const served = own.flatMap(({ data }) => ('durationMs' in data ? [data.durationMs] : []));
    const arrivalsPerHour = (arrivals * hourMs) / windowMs;
    const servedMs = sum(served);
    const servedPerHourPerSlot = servedMs === 0 ? null : (served.length * hourMs) / servedMs;
    const slots = slotsOf(shard);
    return {
      shard,
      arrivalsPerHour,
      servedPerHourPerSlot,
      slots,
      ...expected(arrivalsPerHour, servedPerHourPerSlot, slots),
      observedWaitMs:
        waits.length === 0 ? null : { mean: sum(waits) / waits.length, max: Math.max(...waits) },
    };
  });
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

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, it) => total + it, 0);
}

import type { Lane } from '#eventstore/vocabulary/dispatch.events.js';
import { lane as lanes, type Shard } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import type { CoolingDown, DispatchState, Task } from './dispatch-state.js';
import type { LanesAnswer, QueueAnswer } from './queue.shapes.js';

/** What is answered about the queue as a whole. Pure: `wallTimeOf` says when a moment was, or will be. */

type WallTimeOf = (momentMs: number) => string;
type Counts = Pick<QueueAnswer, 'waiting' | 'ready' | 'delayed' | 'running' | 'paused'>;

/** All but the figures of the shards, which need what happened, not only what is. */
export function queueAnswer(
  state: DispatchState,
  nowMs: number,
  wallTimeOf: WallTimeOf,
): Omit<QueueAnswer, 'windowMs' | 'shards'> {
  const tasks = [...state.tasks.values()];
  return {
    ...countsOf(tasks),
    open: state.openTasks,
    parked: tasks.filter(({ status }) => status.is === 'parked').length,
    closed: [
      ...[...state.closed].map(([scope, { mode, reason, sinceMs }]) => {
        return { scope, mode, reason, since: wallTimeOf(sinceMs) };
      }),
      ...[...state.tripped].map(([scope, { reason, sinceMs }]) => {
        return { scope, mode: 'tripped' as const, reason, since: wallTimeOf(sinceMs) };
      }),
    ],
    coolingDown: [...state.coolingDown.values()].map((it) => {
      const { provider, account, model, level, untilMs } = it;
      const until = wallTimeOf(untilMs);
      return { provider, account, model, level, until, state: phaseOf(it, nowMs) };
    }),
    wipLimits: [...state.wipLimits].map(([scope, limit]) => {
      return { scope, limit, running: state.wip.get(scope) ?? 0 };
    }),
  };
}

function phaseOf(
  { untilMs, claims }: CoolingDown,
  nowMs: number,
): 'closed' | 'probing' | 'waking-up' {
  if (nowMs < untilMs) return 'closed';
  return claims <= 1 ? 'probing' : 'waking-up';
}

function countsOf(tasks: readonly Task[]): Counts {
  const counts: Counts = { waiting: 0, ready: 0, delayed: 0, running: 0, paused: 0 };
  for (const { status } of tasks) if (status.is in counts) counts[status.is as keyof Counts] += 1;
  return counts;
}

export function lanesAnswer(state: DispatchState, nowMs: number): LanesAnswer {
  const tasks = [...state.tasks.values()];
  return {
    items: lanes.options.map((lane) => {
      const own = tasks.filter((task) => task.lane === lane);
      const since = own.flatMap(({ status, readySinceMs }) =>
        status.is === 'ready' && readySinceMs !== null ? [readySinceMs] : [],
      );
      const oldestMs = since.reduce<number | null>(
        (oldest, it) => (oldest === null || it < oldest ? it : oldest),
        null,
      );
      const oldestWaitMs = oldestMs === null ? null : nowMs - oldestMs;
      return { lane, ...countsOf(own), headStartMs: headStartMsOf(lane), oldestWaitMs };
    }),
  };
}

function headStartMsOf(lane: Lane): number {
  const { normalLaneBehindMs: normal, backgroundLaneBehindMs: last } = limits;
  return { critical: last, normal: last - normal, background: 0 }[lane];
}

/** How many attempts the workers of a shard can hold at once. */
export function slotsOf({ workers }: DispatchState, shard: Shard): number {
  return [...workers.values()]
    .filter(({ shards }) => shards.includes(shard))
    .reduce((sum, { slots }) => sum + slots, 0);
}

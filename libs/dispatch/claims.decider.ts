import type { Size } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import type { ClaimWish, Seat, TaskSpec } from './commands.js';
import {
  dueMsOf,
  workerOf,
  type DispatchEvent,
  type DispatchState,
  type Task,
  type Worker,
} from './dispatch-state.js';
import { closedGates, type JustDecided } from './gates.decider.js';
import { kindOf, type TaskKind } from './ready-queue.js';

/** Which task a worker gets: of all that nothing keeps from it, the one whose turn it is. */

type TaskClaimed = Extract<DispatchEvent, { type: 'TaskClaimed' }>;

/** A decision before this one, in the same breath. */
export interface Before extends JustDecided {
  /** Tasks that it made ready. */
  readonly unblocked: readonly Task[];
}

const nothingBefore: Before = { unblocked: [] };

interface Candidate {
  readonly taskId: string;
  readonly kind: TaskKind;
  /** Its turn, later by a handicap where the worker would take it from another shard. */
  readonly turnMs: number;
  readonly order: number;
  readonly isHome: boolean;
}

/** @returns no event when there is nothing for this worker now, or it has this attempt already. */
export function claim(
  state: DispatchState,
  workerId: string,
  wish: ClaimWish,
  nowMs: number,
  before: Before = nothingBefore,
): TaskClaimed[] {
  const worker = workerOf(state, workerId);
  const known = state.running.get(wish.attemptId) ?? state.ended.get(wish.attemptId);
  if (known !== undefined) {
    if (known.workerId === workerId) return [];
    const message = `Attempt ${wish.attemptId} is another worker's. Make a new id for each claim.`;
    throw new Refusal('ILLEGAL_MOVE', message, { attemptId: wish.attemptId });
  }
  const scope = `worker:${workerId}`;
  const running = (state.wip.get(scope) ?? 0) - (before.freed?.scopes.includes(scope) ? 1 : 0);
  if (running >= worker.slots) return [];
  let best: (Candidate & { readonly seat: Seat }) | undefined;
  for (const candidate of candidates(state, worker, nowMs, before.unblocked)) {
    if (best !== undefined && !isSooner(candidate, best)) continue;
    const view = { ...before, nowMs, budgets: wish.budgets };
    const seat = seatsFor(candidate.kind, worker).find(
      (it) => closedGates(state, candidate.kind, it, workerId, view).next().done,
    );
    if (seat !== undefined) best = { ...candidate, seat };
  }
  return best === undefined ? [] : [claimed(state, best, best.seat, workerId, wish, nowMs)];
}

function claimed(
  state: DispatchState,
  { taskId, kind, isHome }: Candidate,
  { agent, provider, account }: Seat,
  workerId: string,
  { attemptId, leaseMs }: ClaimWish,
  nowMs: number,
): TaskClaimed {
  const task = state.tasks.get(taskId);
  const ids = { taskId, attemptId, workerId, agent, provider, account, model: kind.model };
  const data = {
    ...ids,
    stolen: !isHome,
    fencingToken: state.lastFencingToken + 1,
    reservedNanoUsd: kind.reserveNanoUsd,
    leaseMs,
    progressMs: progressMsOf(task?.spec.size ?? 'medium'),
    waitedMs: nowMs - (task?.readySinceMs ?? nowMs),
    atMs: nowMs,
  };
  return { type: 'TaskClaimed', data };
}

function isSooner(a: Candidate, b: Candidate): boolean {
  return a.turnMs < b.turnMs || (a.turnMs === b.turnMs && a.order < b.order);
}

/**
 * A worker takes from other shards what is due so much longer than its own: at once when it has
 * nothing, and always in the end, so that a shard without workers of its own does not starve.
 */
function* candidates(
  state: DispatchState,
  worker: Worker,
  nowMs: number,
  unblocked: readonly Task[],
): Generator<Candidate> {
  const candidate = (kind: TaskKind, taskId: string, dueMs: number, order: number): Candidate => {
    const isHome = worker.shards.includes(kind.shard);
    return {
      taskId,
      kind,
      turnMs: dueMs + (isHome ? 0 : limits.foreignShardBehindMs),
      order,
      isHome,
    };
  };
  for (const { kind, head } of state.ready.heads(nowMs)) {
    yield candidate(kind, head.taskId, head.dueMs, head.order);
  }
  for (const task of unblocked) {
    const ready = { ...task, readySinceMs: task.readySinceMs ?? nowMs };
    yield candidate(kindOfTask(task), task.spec.taskId, dueMsOf(ready), task.order);
  }
}

/** The seats of a worker on which such a task could run, gates aside. */
export function seatsFor({ agent, model, host }: TaskKind, worker: Worker): Seat[] {
  if (host !== null && host !== worker.host) return [];
  return worker.seats.filter(
    (seat) =>
      (agent === 'any' || seat.agent === agent) &&
      (model === null || seat.models.length === 0 || seat.models.includes(model)),
  );
}

/** A conversation can only be carried on where it is, by the agent that has it. */
export function kindOfTask({ spec, lane, conversation }: Task): TaskKind {
  const { agent = spec.agent, host = null } = conversation ?? {};
  return kindOf({ ...spec, lane, agent, host });
}

/** The kind of a task that is yet to be queued. */
export function kindOfSpec(spec: TaskSpec): TaskKind {
  return kindOf({ ...spec, host: null });
}

function progressMsOf(size: Size): number {
  const { progressSmallMs: small, progressMediumMs: medium, progressLargeMs: large } = limits;
  return { small, medium, large }[size];
}

import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type {
  Conversation,
  DispatchEventType,
  HaltWay,
  Lane,
} from '#eventstore/vocabulary/dispatch.events.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Fact } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import type { AttemptMove, TaskSpec } from './commands.js';
import { ReadyQueue, type ReadyView } from './ready-queue.js';

/** What dispatch knows, in a shape that cannot be wrong: what a status lacks, it does not have. */

export type DispatchEvent = { [T in DispatchEventType]: Fact<T, DataOf<T>> }[DispatchEventType];

export type TaskStatus =
  /** For these tasks to complete. */
  | { readonly is: 'waiting'; readonly missing: readonly string[] }
  | { readonly is: 'ready' }
  /** After a failure. */
  | { readonly is: 'delayed'; readonly notBeforeMs: number }
  | { readonly is: 'running'; readonly attemptId: string }
  /** Until somebody resumes it, or its holder lifts that. */
  | ({ readonly is: 'paused' } & Hold)
  | { readonly is: 'completed'; readonly attemptId: string; readonly resultHash: string | null }
  | { readonly is: 'cancelled'; readonly reason: string }
  | { readonly is: 'parked'; readonly reason: string };

/** What keeps something halted. */
interface Hold {
  readonly how: HaltWay;
  readonly reason: string;
  /** null = an operator. */
  readonly holder: string | null;
}

/** An order to halt an attempt that runs. */
export interface HaltOrder extends Hold {
  /** Its task was resumed before it was halted: once it is, it goes on. */
  readonly isLifted: boolean;
}

interface LateResult {
  readonly attemptId: string;
  readonly resultHash: string;
}

export interface Task {
  readonly spec: TaskSpec;
  /** The n-th task that was ever submitted. */
  readonly order: number;
  readonly lane: Lane;
  /** How many attempts came to nothing, since it was submitted or replayed. */
  readonly spentAttempts: number;
  readonly status: TaskStatus;
  /** Since when nothing but gates and workers kept it waiting; null = that never was. */
  readonly readySinceMs: number | null;
  /** With what its next attempt carries on; null = it begins anew. */
  readonly conversation: Conversation | null;
  readonly lateResults: readonly LateResult[];
  /** The newest of its attempts that have ended: those of which `ended` still knows. */
  readonly endedAttempts: readonly string[];
}

interface AttemptFacts {
  readonly attemptId: string;
  readonly taskId: string;
  readonly workerId: string;
  readonly agent: AgentName;
  readonly provider: string;
  readonly account: string;
  readonly model: string | null;
  readonly fencingToken: number;
  readonly reservedNanoUsd: number;
  readonly claimedAtMs: number;
  /** What it counts against; see `scopesOf`. */
  readonly scopes: readonly string[];
  /** What it carries on; null = it began anew. */
  readonly carriesOn: Conversation | null;
}

/** Which moves were refused under a token that no longer holds: each is told once. */
type RefusedMoves = readonly AttemptMove['type'][];

export interface RunningAttempt extends AttemptFacts {
  readonly phase: 'claimed' | 'started';
  readonly sessionId: string | null;
  readonly percent: number | null;
  /** From when its two clocks run, unless it was heard of since. */
  readonly leaseFromMs: number;
  readonly progressFromMs: number;
  readonly leaseMs: number;
  readonly progressMs: number;
  readonly halt: HaltOrder | null;
  readonly refused: RefusedMoves;
}

export interface EndedAttempt {
  readonly attemptId: string;
  readonly taskId: string;
  readonly workerId: string;
  readonly fencingToken: number;
  readonly end: 'completed' | 'lost' | 'halted';
  readonly resultHash: string | null;
  readonly refused: RefusedMoves;
}

interface Gate {
  readonly reason: string;
  readonly sinceMs: number;
}

interface ClosedGate extends Gate {
  readonly mode: 'paused' | 'draining';
}

export interface CoolingDown {
  readonly provider: string;
  readonly account: string;
  readonly model: string | null;
  readonly level: number;
  readonly untilMs: number;
  /** Claims since it may be tried again. */
  readonly claims: number;
  /** The first of them: while it is not known to go well, there is no second. */
  readonly probeAttemptId: string | null;
  /** When it was known to go well, by its end; null while it is not, and while it runs. */
  readonly provenMs: number | null;
}

/**
 * What an attempt reserved stays reserved for a little after its end, because the telemetry that tells
 * what it spent comes in later: nobody may begin on money that is gone already.
 */
interface Settling {
  readonly untilMs: number;
  readonly nanoUsdByScope: Map<string, number>;
}

export type Worker = DataOf<'WorkerRegistered'>;

/**
 * Read it, never keep it: `evolve` changes the maps in place, because copying a queue of 100,000 for
 * each event is out of the question. The records in them are never changed, only replaced. Whoever
 * folds events owns the state; who needs the one of before folds again.
 */
export interface DispatchState {
  /** All that have not ended, and the newest of those that have: see `forgettable`. */
  readonly tasks: ReadonlyMap<string, Task>;
  /** By idempotency key, for as long as the task is remembered. */
  readonly taskByKey: ReadonlyMap<string, string>;
  /** Which tasks that have not ended depend on this one. */
  readonly dependents: ReadonlyMap<string, ReadonlySet<string>>;
  /** Ended tasks on which nothing depends that has not ended; the first is forgotten first. */
  readonly forgettable: ReadonlySet<string>;
  /** So many of these are remembered. */
  readonly endedRememberedMax: number;
  readonly ready: ReadyView;
  readonly delayed: ReadonlySet<string>;
  readonly running: ReadonlyMap<string, RunningAttempt>;
  /** Of each remembered task the newest few. */
  readonly ended: ReadonlyMap<string, EndedAttempt>;
  readonly workers: ReadonlyMap<string, Worker>;
  readonly closed: ReadonlyMap<string, ClosedGate>;
  readonly tripped: ReadonlyMap<string, Gate>;
  readonly wipLimits: ReadonlyMap<string, number>;
  /** Running attempts by scope. */
  readonly wip: ReadonlyMap<string, number>;
  readonly reservedNanoUsd: ReadonlyMap<string, number>;
  /** Of attempts that ended a moment ago, summed by steps of time, the oldest first: never many. */
  readonly settling: readonly Settling[];
  readonly coolingDown: ReadonlyMap<string, CoolingDown>;
  /** Failures of a provider in a row, for the breaker. */
  readonly providerFailures: ReadonlyMap<string, number>;
  /** Tasks that have neither completed nor been cancelled nor parked. */
  readonly openTasks: number;
  /** Tasks in the dead letters. */
  readonly parkedTasks: number;
  /** How many open tasks there are of each kind, by `keyOf`: a claim may look at one of each. */
  readonly openKinds: ReadonlyMap<string, number>;
  /** Tasks that were ever submitted. */
  readonly lastOrder: number;
  readonly lastFencingToken: number;
  /** The newest time that any event told: time never runs back behind it. */
  readonly clockMs: number;
}

type Writable<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, V extends ReadonlySet<infer U> ? Set<U> : V>
    : T extends ReadonlySet<infer V>
      ? Set<V>
      : T extends readonly (infer V)[]
        ? V[]
        : T;

/** The same, as its owner sees it. */
export type OwnState = {
  -readonly [K in keyof DispatchState]: K extends 'ready' ? ReadyQueue : Writable<DispatchState[K]>;
};

/** @param endedRememberedMax fewer than usual let a short test see that tasks are forgotten. */
export function emptyState(endedRememberedMax: number = limits.endedTasksRememberedMax): OwnState {
  return {
    tasks: new Map(),
    taskByKey: new Map(),
    dependents: new Map(),
    forgettable: new Set(),
    endedRememberedMax,
    ready: new ReadyQueue(),
    delayed: new Set(),
    running: new Map(),
    ended: new Map(),
    workers: new Map(),
    closed: new Map(),
    tripped: new Map(),
    wipLimits: new Map(),
    wip: new Map(),
    reservedNanoUsd: new Map(),
    settling: [],
    coolingDown: new Map(),
    providerFailures: new Map(),
    openTasks: 0,
    parkedTasks: 0,
    openKinds: new Map(),
    lastOrder: 0,
    lastFencingToken: 0,
    clockMs: 0,
  };
}

/** @throws {Refusal} `TASK_NOT_FOUND` */
export function taskOf(state: DispatchState, taskId: string): Task {
  const task = state.tasks.get(taskId);
  if (task !== undefined) return task;
  const message = `There is no task ${taskId}, or it ended so long ago that nothing can be done with it. List tasks to see their ids.`;
  throw new Refusal('TASK_NOT_FOUND', message, { taskId });
}

/** @throws {Refusal} `WORKER_NOT_FOUND` */
export function workerOf(state: DispatchState, workerId: string): Worker {
  const worker = state.workers.get(workerId);
  if (worker !== undefined) return worker;
  const message = `There is no worker ${workerId}: it never registered, or has gone. Register it.`;
  throw new Refusal('WORKER_NOT_FOUND', message, { workerId });
}

/**
 * When a task's turn is. A lane is a head start: a normal task that has waited for so long is equal to
 * a critical one that is new, so that no lane can starve another.
 */
export function dueMsOf(task: Task): number {
  const behindMs = {
    critical: 0,
    normal: limits.normalLaneBehindMs,
    background: limits.backgroundLaneBehindMs,
  };
  return (task.readySinceMs ?? 0) + behindMs[task.lane];
}

/** For good, unless somebody retries what was cancelled. What is parked waits for somebody. */
export function isEnded({ is }: TaskStatus): boolean {
  return is === 'completed' || is === 'cancelled';
}

export function isOpen(status: TaskStatus): boolean {
  return !isEnded(status) && status.is !== 'parked';
}

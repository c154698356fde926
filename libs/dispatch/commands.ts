import type { HaltWay, Lane } from '#eventstore/vocabulary/dispatch.events.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';

/**
 * What may be wanted of dispatch. Ids, chance and the time come in with the command, so that the
 * same command on the same state always comes to the same events.
 */

/** `nowMs` is of the clock of dispatch: see `eventstore/vocabulary/dispatch.events.ts`. */
interface Timed {
  readonly nowMs: number;
}

/** What a task is, as its event tells it. Its id is made by whoever takes the request in. */
export type TaskSpec = Omit<DataOf<'TaskSubmitted'>, 'atMs'>;
/** Where an agent can run: a worker's login to a provider. */
export type Seat = DataOf<'WorkerRegistered'>['seats'][number];

/** What a budget says at this moment. What attempts have reserved, dispatch knows itself. */
export interface BudgetReading {
  readonly scope: string;
  /** null: nothing can be reserved of it, because it counts tokens or a pace. */
  readonly limitNanoUsd: number | null;
  readonly spentNanoUsd: number;
  /** Why nothing of the scope may begin; null = as long as something is left, it may. */
  readonly shut: string | null;
}

/** When a worker, and when its agent, was last heard of. Kept in memory only: see `signs.ts`. */
export interface Sign {
  readonly beatMs: number;
  readonly progressMs: number;
}

/** A batch: all of its tasks are taken, or none. One may depend on another of the same batch. */
export interface Submit extends Timed {
  readonly type: 'submit';
  readonly tasks: readonly TaskSpec[];
}

export interface ClaimWish {
  /** Made by the worker: claiming again under the same id gives the same attempt. */
  readonly attemptId: string;
  readonly budgets: readonly BudgetReading[];
  /** How long its worker may be silent, as this server is configured. */
  readonly leaseMs: number;
}

export interface Claim extends Timed, ClaimWish {
  readonly type: 'claim';
  readonly workerId: string;
}

/** Every move of an attempt shows the token under which it was claimed. */
interface Move extends Timed {
  readonly attemptId: string;
  readonly fencingToken: number;
}

interface Start extends Move {
  readonly type: 'start';
  readonly sessionId: string | null;
}

/** Decides only whether the attempt still stands; what it changes is a `Sign`, not an event. */
interface Beat extends Move {
  readonly type: 'beat';
}

export interface Progress extends Move {
  readonly type: 'progress';
  readonly sessionId: string | null;
  readonly percent: number | null;
}

export interface Complete extends Move {
  readonly type: 'complete';
  readonly resultHash: string | null;
  /** What its worker wants next, in the same decision. */
  readonly claimNext: ClaimWish | null;
}

/** That the provider refused, and for how long it wants to be left alone. */
interface CoolDownHint {
  readonly cause: 'rate-limit' | 'overload';
  /** From Retry-After or a reset time; null = not told. */
  readonly retryAfterMs: number | null;
  /** 0 <= random < 1, so that not everybody comes back at once. */
  readonly random: number;
}

export interface Fail extends Move {
  readonly type: 'fail';
  readonly cause: 'error' | 'provider';
  readonly error: string;
  readonly retryable: boolean;
  readonly coolDown: CoolDownHint | null;
  readonly claimNext: ClaimWish | null;
}

interface Release extends Move {
  readonly type: 'release';
  readonly reason: string;
}

/** A worker that heard of no server ended an agent by itself. */
interface CutOff {
  readonly reason: string;
  /** Nothing but the silence was in the way, so that it goes on by itself. */
  readonly goesOn: boolean;
}

/** Its agent was ended as ordered, or because its worker was cut off. */
export interface Halted extends Move {
  readonly type: 'halted';
  /** Why its worker ended it by itself; null = it did not. Where an order stands, that counts. */
  readonly cutOff: CutOff | null;
  /** null = none is known, so that the one before it stands, where there was one. */
  readonly sessionId: string | null;
  readonly processesEnded: number;
  readonly survivors: DataOf<'AttemptHalted'>['survivors'];
}

/** A task, or every attempt that runs under a scope: what is queued is for gates to keep back. */
type HaltTarget = { readonly taskId: string } | { readonly scope: string };

/** Stops work so that it can be carried on. */
export interface Halt extends Timed {
  readonly type: 'halt';
  readonly target: HaltTarget;
  readonly how: HaltWay;
  readonly reason: string;
  /** What keeps it halted, such as `budget:core-day`, and may lift it; null = an operator. */
  readonly holder: string | null;
}

/** An operator has it carried on, whoever halted it. */
interface ResumeTask extends Timed {
  readonly type: 'resume-task';
  readonly taskId: string;
  readonly reason: string;
}

/** Has all carried on that this holder keeps halted. */
interface Lift extends Timed {
  readonly type: 'lift';
  readonly holder: string;
  readonly reason: string;
}

/** What telemetry saw of a provider, beside what workers tell when they fail. */
export interface CoolDown extends Timed {
  readonly type: 'cool-down';
  readonly provider: string;
  readonly account: string;
  readonly model: string | null;
  readonly hint: CoolDownHint;
}

interface OnTask extends Timed {
  readonly type: 'retry' | 'replay';
  readonly taskId: string;
}

interface OnTaskWithReason extends Timed {
  readonly type: 'cancel' | 'park';
  readonly taskId: string;
  readonly reason: string;
}

interface Reprioritise extends Timed {
  readonly type: 'reprioritise';
  readonly taskId: string;
  readonly lane: Lane;
}

export interface AdoptLateResult extends Timed {
  readonly type: 'adopt-late-result';
  readonly taskId: string;
  readonly attemptId: string;
}

interface OnScope extends Timed {
  readonly type: 'pause' | 'drain' | 'resume' | 'trip' | 'reset';
  readonly scope: string;
  readonly reason: string;
}

interface LimitWip extends Timed {
  readonly type: 'limit-wip';
  readonly scope: string;
  /** null = any number. */
  readonly limit: number | null;
}

export interface RegisterWorker extends Timed {
  readonly type: 'register-worker';
  readonly worker: Omit<DataOf<'WorkerRegistered'>, 'atMs'>;
}

/** It said goodbye: what it still holds is given back at once. */
interface DismissWorker extends Timed {
  readonly type: 'worker-gone';
  readonly workerId: string;
  readonly reason: string;
}

/** Time has passed: what is silent for too long ends. */
interface Tick extends Timed {
  readonly type: 'tick';
  readonly signs: ReadonlyMap<string, Sign>;
}

/** The first command of a server that was started. */
interface AfterRestart extends Timed {
  readonly type: 'after-restart';
}

export type AttemptMove = Start | Beat | Progress | Complete | Fail | Release | Halted;
export type HaltCommand = Halt | ResumeTask | Lift;
export type TaskCommand = Submit | OnTask | OnTaskWithReason | Reprioritise | AdoptLateResult;
export type GateCommand = OnScope | LimitWip | CoolDown;
export type WorkerCommand = RegisterWorker | DismissWorker;
export type ClockCommand = Tick | AfterRestart;
export type DispatchCommand =
  TaskCommand | HaltCommand | AttemptMove | Claim | GateCommand | WorkerCommand | ClockCommand;

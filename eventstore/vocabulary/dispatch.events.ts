import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { agentName } from './shapes.events.js';

/**
 * What is known of queued work. Stream: `dispatch`, one for all that must be decided together.
 *
 * `atMs`, and every time that ends in `Ms` and names a moment, is of the clock of dispatch: it never
 * runs back, and stands still while no server runs. The clock on the wall is in the metadata, for
 * people. Prompts and results are content: an event has the hash under which it is kept.
 */

const identifier = z.string().min(1).max(limits.identifierCharactersMax);
const freeText = z.string().max(limits.freeTextCharactersMax);
const count = z.int().nonnegative();

export const lane = z.enum(['critical', 'normal', 'background']);
export type Lane = z.infer<typeof lane>;
export const shard = z.enum(['impl', 'review', 'architect']);
export type Shard = z.infer<typeof shard>;
export const size = z.enum(['small', 'medium', 'large']);
export type Size = z.infer<typeof size>;

/** What a gate stands before: everything, or what has this lane, team, model ... */
export const scope = z
  .string()
  .max(limits.scopeCharactersMax)
  .regex(/^(all|(lane|shard|worker|agent|model|account|team|project):.+)$/s);

const moment = { atMs: count };

const TaskSubmitted = z.strictObject({
  taskId: identifier,
  idempotencyKey: identifier.nullable(),
  /** It waits until each of these has completed. */
  dependsOn: z.array(identifier).max(limits.dependenciesPerTaskMax),
  agent: z.union([agentName, z.literal('any')]),
  model: identifier.nullable(),
  lane,
  shard,
  size,
  team: identifier.nullable(),
  project: identifier.nullable(),
  tags: z.array(identifier).max(limits.tagsPerTaskMax),
  promptHash: identifier,
  /** A folder on the worker's host, or null where a repository is checked out. */
  directory: freeText.nullable(),
  repository: freeText.nullable(),
  ref: identifier.nullable(),
  permissionMode: identifier.nullable(),
  attemptsMax: z.int().min(1).max(limits.attemptsPerTaskMax),
  promptCharacters: count,
  /** What each attempt reserves against the budgets that it falls under. */
  reserveNanoUsd: count,
  timeoutMs: z.int().positive().max(limits.attemptMsMax),
  ...moment,
});

/** The fencing token is higher than any before it: whoever has a lower one is too late. */
const TaskClaimed = z.strictObject({
  taskId: identifier,
  attemptId: identifier,
  workerId: identifier,
  agent: agentName,
  provider: identifier,
  account: identifier,
  model: identifier.nullable(),
  /** Whether it is of a shard that is not the worker's own. */
  stolen: z.boolean(),
  fencingToken: z.int().positive(),
  reservedNanoUsd: count,
  leaseMs: z.int().positive(),
  /** How long the agent may show no progress. */
  progressMs: z.int().positive(),
  /** Since it could first have been claimed. */
  waitedMs: count,
  ...moment,
});

const attempt = {
  taskId: identifier,
  attemptId: identifier,
  workerId: identifier,
  fencingToken: z.int().positive(),
};

const AttemptStarted = z.strictObject({
  ...attempt,
  sessionId: identifier.nullable(),
  ...moment,
});

/** Only what is news: another agent session, or another tenth of the way. */
const ProgressReported = z.strictObject({
  ...attempt,
  sessionId: identifier.nullable(),
  percent: z.int().min(0).max(100).nullable(),
  ...moment,
});

const AttemptCompleted = z.strictObject({
  ...attempt,
  resultHash: identifier.nullable(),
  durationMs: count,
  ...moment,
});

/** The task may be claimed again at `notBeforeMs`, unless it is parked in the same breath. */
const again = { notBeforeMs: count };

const AttemptFailed = z.strictObject({
  ...attempt,
  /** `cool-down`: the provider wanted to be left alone, which costs the task no attempt. */
  cause: z.enum(['error', 'provider', 'cool-down', 'timeout']),
  error: freeText,
  retryable: z.boolean(),
  durationMs: count,
  ...again,
  ...moment,
});

/** Given back unfinished, which costs the task no attempt. */
const AttemptReleased = z.strictObject({
  ...attempt,
  reason: freeText,
  durationMs: count,
  ...moment,
});

/** No sign of the worker for longer than its lease. */
const LeaseExpired = z.strictObject({
  ...attempt,
  silentMs: count,
  durationMs: count,
  ...again,
  ...moment,
});

/** The worker is alive, but its agent did not get on. */
const ProgressDeadlineMissed = z.strictObject({
  ...attempt,
  silentMs: count,
  durationMs: count,
  ...again,
  ...moment,
});

/** The server was started: beats of before are lost, so every running attempt has a fresh lease. */
const LeasesRenewed = z.strictObject({ attempts: count, ...moment });

const task = { taskId: identifier };

/** With what depended on it, each under its own event. */
const TaskCancelled = z.strictObject({
  ...task,
  reason: freeText,
  becauseOfTaskId: identifier.nullable(),
  ...moment,
});

const TaskReprioritised = z.strictObject({ ...task, lane, ...moment });

/** Somebody wants it now: no further waiting after a failure, or after all although cancelled. */
const TaskRetried = z.strictObject({ ...task, ...moment });

/** Into the dead letters: only a person takes it out again. */
const TaskParked = z.strictObject({
  ...task,
  cause: z.enum(['attempts-used-up', 'not-retryable', 'operator']),
  reason: freeText,
  ...moment,
});

const TaskReplayed = z.strictObject({ ...task, ...moment });

/** What an attempt brought after it had lost its task. */
const LateResultKept = z.strictObject({ ...attempt, resultHash: identifier, ...moment });

const LateResultAdopted = z.strictObject({ ...task, attemptId: identifier, ...moment });

/** Told once per attempt and move, with the token that was shown. */
const StaleTokenRefused = z.strictObject({
  ...attempt,
  move: z.enum(['start', 'beat', 'progress', 'complete', 'fail', 'release']),
  ...moment,
});

const WorkerRegistered = z.strictObject({
  workerId: identifier,
  /** SHA-256 of the token that it has to show. */
  tokenHash: identifier,
  host: identifier,
  /** Its own; it takes from others when these have nothing older for it. */
  shards: z.array(shard).min(1),
  seats: z
    .array(
      z.strictObject({
        agent: agentName,
        provider: identifier,
        account: identifier,
        /** The models that this account has; empty = all. */
        models: z.array(identifier).max(limits.modelsPerSeatMax),
      }),
    )
    .min(1)
    .max(limits.seatsPerWorkerMax),
  slots: z.int().min(1).max(limits.slotsPerWorkerMax),
  ...moment,
});

const WorkerGone = z.strictObject({ workerId: identifier, reason: freeText, ...moment });

const gate = { scope, reason: freeText, ...moment };

/** Nothing of this scope is claimed. */
const ClaimsPaused = z.strictObject(gate);
/** Nothing of this scope is claimed, so that it comes to rest: for an upgrade, or for good. */
const DrainStarted = z.strictObject(gate);
const ClaimsResumed = z.strictObject(gate);
/** A budget of this scope is used up. Only a reset with a reason opens it again. */
const ScopeTripped = z.strictObject(gate);
const ScopeReset = z.strictObject(gate);
/** At most so many attempts of this scope at once; null = any number. */
const WipLimitSet = z.strictObject({ scope, limit: count.nullable(), ...moment });

const provider = {
  provider: identifier,
  account: identifier,
  /** null = all models of the account. */
  model: identifier.nullable(),
};

/** The provider refuses for now; `level` counts how often it did so in a row. */
const CoolDownStarted = z.strictObject({
  ...provider,
  cause: z.enum(['rate-limit', 'overload', 'breaker']),
  level: count,
  untilMs: count,
  ...moment,
});

const CoolDownEnded = z.strictObject({ ...provider, ...moment });

export const dispatchEvents = {
  TaskSubmitted: { version: 1, schema: TaskSubmitted },
  TaskClaimed: { version: 1, schema: TaskClaimed },
  AttemptStarted: { version: 1, schema: AttemptStarted },
  ProgressReported: { version: 1, schema: ProgressReported },
  AttemptCompleted: { version: 1, schema: AttemptCompleted },
  AttemptFailed: { version: 1, schema: AttemptFailed },
  AttemptReleased: { version: 1, schema: AttemptReleased },
  LeaseExpired: { version: 1, schema: LeaseExpired },
  ProgressDeadlineMissed: { version: 1, schema: ProgressDeadlineMissed },
  LeasesRenewed: { version: 1, schema: LeasesRenewed },
  TaskCancelled: { version: 1, schema: TaskCancelled },
  TaskReprioritised: { version: 1, schema: TaskReprioritised },
  TaskRetried: { version: 1, schema: TaskRetried },
  TaskParked: { version: 1, schema: TaskParked },
  TaskReplayed: { version: 1, schema: TaskReplayed },
  LateResultKept: { version: 1, schema: LateResultKept },
  LateResultAdopted: { version: 1, schema: LateResultAdopted },
  StaleTokenRefused: { version: 1, schema: StaleTokenRefused },
  WorkerRegistered: { version: 1, schema: WorkerRegistered },
  WorkerGone: { version: 1, schema: WorkerGone },
  ClaimsPaused: { version: 1, schema: ClaimsPaused },
  DrainStarted: { version: 1, schema: DrainStarted },
  ClaimsResumed: { version: 1, schema: ClaimsResumed },
  ScopeTripped: { version: 1, schema: ScopeTripped },
  ScopeReset: { version: 1, schema: ScopeReset },
  WipLimitSet: { version: 1, schema: WipLimitSet },
  CoolDownStarted: { version: 1, schema: CoolDownStarted },
  CoolDownEnded: { version: 1, schema: CoolDownEnded },
} as const;

export type DispatchEventType = keyof typeof dispatchEvents;

export const DISPATCH_STREAM = 'dispatch';

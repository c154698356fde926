import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { conversation, haltWay, lane, scope, seat, shard, size } from './dispatch-shapes.events.js';
import { agentName, count, freeText, identifier } from './shapes.events.js';

export * from './dispatch-shapes.events.js';

/**
 * What is known of queued work. Stream: `dispatch`, one for all that must be decided together.
 *
 * `atMs`, and every time that ends in `Ms` and names a moment, is of the clock of dispatch: it never
 * runs back, and stands still while no server runs. The clock on the wall is in the metadata, for
 * people. Prompts and results are content: an event has the hash under which it is kept.
 */

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
  /** Tools that its agent may use without asking, as the agent's command line names them. */
  allowedTools: z.array(identifier).max(limits.agentToolsAllowedMax),
  attemptsMax: z.int().min(1).max(limits.attemptsPerTaskMax),
  promptCharacters: count,
  /** What each attempt reserves against the budgets that it falls under. */
  reserveNanoUsd: count,
  /** What it may cost in all; null = nobody said. */
  maxCostNanoUsd: z.int().positive().max(limits.taskCostNanoUsdMax).nullable(),
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

/** Who wants it, and who keeps it so: null = an operator; else what may lift it again by itself. */
const halt = { how: haltWay, reason: freeText, holder: identifier.nullable() };

/** A running attempt is to end. It is repeated to its worker until it has, or something else ended it. */
const AttemptHaltOrdered = z.strictObject({ ...attempt, ...halt, ...moment });

/** Its agent was ended because of an order, which costs the task no attempt. */
const AttemptHalted = z.strictObject({
  ...attempt,
  sessionId: identifier.nullable(),
  processesEnded: count,
  /** What was told to end and runs all the same. */
  survivors: z
    .array(z.strictObject({ pid: z.int().positive(), name: freeText }))
    .max(limits.survivorsToldMax),
  durationMs: count,
  ...moment,
});

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

/** Nobody claims it until it is resumed. After the end of an attempt that was to be halted, in the same breath. */
const TaskPaused = z.strictObject({
  ...task,
  ...halt,
  /** null = it begins anew. */
  conversation: conversation.nullable(),
  ...moment,
});

/** It may be claimed again; of a task whose attempt is yet to be halted, as soon as that has happened. */
const TaskResumed = z.strictObject({ ...task, reason: freeText, ...moment });

const TaskReplayed = z.strictObject({ ...task, ...moment });

/** What an attempt brought after it had lost its task. */
const LateResultKept = z.strictObject({ ...attempt, resultHash: identifier, ...moment });

const LateResultAdopted = z.strictObject({ ...task, attemptId: identifier, ...moment });

/** Told once per attempt and move, with the token that was shown. */
const StaleTokenRefused = z.strictObject({
  ...attempt,
  move: z.enum(['start', 'beat', 'progress', 'complete', 'fail', 'release', 'halted']),
  ...moment,
});

const WorkerRegistered = z.strictObject({
  workerId: identifier,
  /** SHA-256 of the token that it has to show. */
  tokenHash: identifier,
  host: identifier,
  /** Its own; it takes from others when these have nothing older for it. */
  shards: z.array(shard).min(1),
  seats: z.array(seat).min(1).max(limits.seatsPerWorkerMax),
  slots: z.int().min(1).max(limits.slotsPerWorkerMax),
  /** The command lines of its host, each with what it says its version is; null = it does not say. */
  agents: z
    .array(z.strictObject({ name: agentName, version: identifier.nullable() }))
    .max(agentName.options.length),
  /** By which means what its agents start is held together; null = by none but their tree. */
  containment: identifier.nullable(),
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
  TaskSubmitted: { version: 2, schema: TaskSubmitted },
  TaskClaimed: { version: 1, schema: TaskClaimed },
  AttemptStarted: { version: 1, schema: AttemptStarted },
  ProgressReported: { version: 1, schema: ProgressReported },
  AttemptCompleted: { version: 1, schema: AttemptCompleted },
  AttemptHaltOrdered: { version: 1, schema: AttemptHaltOrdered },
  AttemptHalted: { version: 1, schema: AttemptHalted },
  AttemptFailed: { version: 1, schema: AttemptFailed },
  AttemptReleased: { version: 1, schema: AttemptReleased },
  LeaseExpired: { version: 1, schema: LeaseExpired },
  ProgressDeadlineMissed: { version: 1, schema: ProgressDeadlineMissed },
  LeasesRenewed: { version: 1, schema: LeasesRenewed },
  TaskCancelled: { version: 1, schema: TaskCancelled },
  TaskReprioritised: { version: 1, schema: TaskReprioritised },
  TaskRetried: { version: 1, schema: TaskRetried },
  TaskParked: { version: 1, schema: TaskParked },
  TaskPaused: { version: 1, schema: TaskPaused },
  TaskResumed: { version: 1, schema: TaskResumed },
  TaskReplayed: { version: 1, schema: TaskReplayed },
  LateResultKept: { version: 1, schema: LateResultKept },
  LateResultAdopted: { version: 1, schema: LateResultAdopted },
  StaleTokenRefused: { version: 1, schema: StaleTokenRefused },
  WorkerRegistered: { version: 2, schema: WorkerRegistered },
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

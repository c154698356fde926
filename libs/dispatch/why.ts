import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import type { Explanation } from './explain.js';
import { isOnTask, type OnTask, type RecordedOnTask } from './task-events.js';
import type { Why } from './task.shapes.js';
import { whyNow, type Clocks } from './why-now.js';
import { because, durationText, holderText, someOf } from './words.js';

export interface WhyOf extends Clocks {
  /** What the task waits for at this moment. */
  readonly explanation: Explanation;
  /** Those that concern it, in order: see `TasksQueries.versionsOf`. */
  readonly events: readonly RecordedDomainEvent[];
  /** How many were left out after the first. */
  readonly omitted: number;
}

/** How a task came to be where it is, and why it is there now, for people and for programs. */
export function why({ explanation, events, omitted, ...clocks }: WhyOf): Why {
  const { taskId, status } = explanation;
  const causes = new Causes(taskId);
  const own = events.filter(isOnTask).filter((event) => concerns(event, taskId));
  const chain = own.map((event, index) => {
    const { version, type, metadata } = event;
    const { occurredAt: at, actor: by } = metadata;
    const what = event.data.taskId === taskId ? tell(event, own[index + 1]) : tellOfOther(event);
    return { version, at, type, what, by, becauseOf: causes.of(event) };
  });
  return {
    taskId,
    state: status.is,
    now: whyNow(explanation, clocks),
    omittedEvents: omitted,
    chain,
  };
}

/** Of others, only the end for which it waited, or with which it was cancelled. */
function concerns({ type, data }: OnTask, taskId: string): boolean {
  if (data.taskId === taskId) return true;
  return type === 'AttemptCompleted' || type === 'LateResultAdopted' || type === 'TaskCancelled';
}

/** Which event brought which about. It is shown the events of a task one after another. */
class Causes {
  /** What made the task one that may be claimed. */
  private queuedBy: number | null = null;
  private runningAttempt: string | null = null;
  private readonly claims = new Map<string, number>();
  private readonly ends = new Map<string, number>();
  private readonly lateResults = new Map<string, number>();
  private readonly cancelled = new Map<string, number>();
  private lastEnd: number | null = null;
  private haltOrder: number | null = null;

  constructor(private readonly taskId: string) {}

  /** The version of its cause; null where somebody wanted it, or the cause is not among the events. */
  of(event: RecordedOnTask): number | null {
    const cause = event.data.taskId === this.taskId ? this.causeOf(event) : null;
    this.note(event);
    return cause;
  }

  private causeOf({ type, data }: OnTask): number | null {
    switch (type) {
      case 'TaskClaimed':
        return this.queuedBy;
      case 'AttemptStarted':
      case 'ProgressReported':
      case 'AttemptCompleted':
      case 'AttemptHaltOrdered':
      case 'AttemptFailed':
      case 'AttemptReleased':
      case 'LeaseExpired':
      case 'ProgressDeadlineMissed':
        return this.claims.get(data.attemptId) ?? null;
      case 'AttemptHalted':
        return this.haltOrder;
      case 'TaskPaused':
        return this.haltOrder === null ? null : this.lastEnd;
      case 'LateResultKept':
        return this.ends.get(data.attemptId) ?? null;
      case 'StaleTokenRefused':
        // Of an attempt that runs, it is a token of before its claim.
        return this.ends.get(data.attemptId) ?? this.claims.get(data.attemptId) ?? null;
      case 'LateResultAdopted':
        return this.lateResults.get(data.attemptId) ?? null;
      case 'TaskParked':
        return data.cause === 'operator' ? null : this.lastEnd;
      case 'TaskCancelled':
        return this.cancelled.get(data.becauseOfTaskId ?? '') ?? null;
      default:
        return null;
    }
  }

  private note({ type, data, version }: RecordedOnTask): void {
    switch (type) {
      case 'TaskSubmitted':
      case 'TaskRetried':
      case 'TaskReplayed':
      case 'TaskResumed':
        this.queuedBy = version;
        break;
      case 'AttemptHaltOrdered':
        this.haltOrder = version;
        break;
      case 'TaskPaused':
        this.haltOrder = null;
        break;
      case 'TaskClaimed':
        this.claims.set(data.attemptId, version);
        this.runningAttempt = data.attemptId;
        break;
      case 'AttemptCompleted':
      case 'AttemptHalted':
      case 'AttemptFailed':
      case 'AttemptReleased':
      case 'LeaseExpired':
      case 'ProgressDeadlineMissed':
        // Of another task, it is the completion for which this one waited.
        this.queuedBy = version;
        if (data.taskId === this.taskId) this.attemptEnded(version);
        break;
      case 'LateResultAdopted':
        this.queuedBy = version;
        break;
      case 'LateResultKept':
        this.lateResults.set(data.attemptId, version);
        break;
      case 'TaskCancelled':
      case 'TaskParked':
        if (data.taskId === this.taskId) this.attemptEnded(version);
        else this.cancelled.set(data.taskId, version);
        break;
      default:
        break;
    }
  }

  private attemptEnded(version: number): void {
    if (this.runningAttempt !== null) this.ends.set(this.runningAttempt, version);
    this.runningAttempt = null;
    this.lastEnd = version;
  }
}

/** What became of the task. */
function tell(event: OnTask, next: OnTask | undefined): string {
  const { type, data } = event;
  switch (type) {
    case 'TaskSubmitted': {
      const { lane, shard, agent, dependsOn } = data;
      const who = agent === 'any' ? 'any agent' : agent;
      const submitted = `Submitted to lane ${lane} and shard ${shard}, for ${who}.`;
      if (dependsOn.length === 0) return submitted;
      return `${submitted} It depends on ${someOf(dependsOn, limits.dependenciesNamedMax)}.`;
    }
    case 'TaskCancelled':
      return because('Cancelled', data.reason);
    case 'TaskParked':
      return because('Put among the dead letters', data.reason);
    case 'TaskPaused': {
      const { conversation, holder, reason } = data;
      const paused = because(`Paused by ${holderText(holder)}`, reason);
      if (conversation === null) return `${paused} It will begin anew.`;
      const { sessionId, host } = conversation;
      return `${paused} Its session ${sessionId} can be carried on, on host ${host}.`;
    }
    case 'TaskResumed':
      return because('Resumed', data.reason);
    case 'TaskRetried':
      return 'Put back into the queue at once.';
    case 'TaskReplayed':
      return 'Taken out of the dead letters, with all its attempts before it.';
    case 'TaskReprioritised':
      return `Moved to lane ${data.lane}.`;
    case 'LateResultKept':
      return `Attempt ${data.attemptId} brought a result after it had lost the task. It is kept.`;
    case 'LateResultAdopted':
      return `Completed by the late result of attempt ${data.attemptId}, which somebody adopted.`;
    case 'StaleTokenRefused':
      return `A move of attempt ${data.attemptId} was refused (${data.move}): token ${data.fencingToken} no longer holds.`;
    default:
      return tellOfAttempt(event, next);
  }
}

type OnAttempt = Extract<
  OnTask,
  {
    type:
      | 'TaskClaimed'
      | `Attempt${string}`
      | 'ProgressReported'
      | 'LeaseExpired'
      | 'ProgressDeadlineMissed';
  }
>;

function tellOfAttempt({ type, data }: OnAttempt, next: OnTask | undefined): string {
  const { attemptId, workerId } = data;
  switch (type) {
    case 'TaskClaimed': {
      const { agent, provider, account, waitedMs, fencingToken, stolen } = data;
      const seat = `${agent} (${provider}, account ${account})`;
      const claimed = `Claimed by worker ${workerId} for ${seat}, after ${durationText(waitedMs)}; attempt ${attemptId}, token ${fencingToken}.`;
      return stolen ? `${claimed} Its shard is not the worker's own.` : claimed;
    }
    case 'AttemptStarted':
      return `Attempt ${attemptId} started${inSession(data.sessionId)}.`;
    case 'ProgressReported': {
      const far = data.percent === null ? 'got on' : `is at ${data.percent} %`;
      return `Attempt ${attemptId} ${far}${inSession(data.sessionId)}.`;
    }
    case 'AttemptCompleted':
      return `Completed by attempt ${attemptId}, after ${durationText(data.durationMs)}.`;
    case 'AttemptHaltOrdered': {
      const how = data.how === 'kill' ? 'killed' : 'paused';
      const by = holderText(data.holder);
      return because(`Attempt ${attemptId} is to be ${how}, as ${by} orders`, data.reason);
    }
    case 'AttemptHalted': {
      const { durationMs, processesEnded, survivors } = data;
      const ended = `Attempt ${attemptId} was halted after ${durationText(durationMs)}: ${processesEnded} processes have ended`;
      if (survivors.length === 0) return `${ended}, and none is left.`;
      const left = survivors.map(({ pid, name }) => `${pid} (${name})`);
      return `${ended}, and these run all the same: ${someOf(left, limits.dependenciesNamedMax)}.`;
    }
    case 'AttemptReleased': {
      const after = durationText(data.durationMs);
      return because(
        `Worker ${workerId} gave attempt ${attemptId} back after ${after}`,
        data.reason,
      );
    }
    case 'AttemptFailed': {
      const how = `Attempt ${attemptId} ${failures[data.cause]} after ${durationText(data.durationMs)}`;
      return `${because(how, data.error)}${againText(data, next)}`;
    }
    case 'LeaseExpired': {
      const silent = durationText(data.silentMs);
      return `Attempt ${attemptId} was taken from worker ${workerId}, of which there was no sign for ${silent}.${againText(data, next)}`;
    }
    case 'ProgressDeadlineMissed': {
      const silent = durationText(data.silentMs);
      return `Attempt ${attemptId} was taken from worker ${workerId}, whose agent did not get on for ${silent}.${againText(data, next)}`;
    }
  }
}

const failures = {
  error: 'failed',
  provider: 'failed by its provider',
  'cool-down': 'was refused by its provider',
  timeout: 'ran out of time',
} as const;

function inSession(sessionId: string | null): string {
  return sessionId === null ? '' : ` in session ${sessionId}`;
}

/** Nothing where it was parked in the same breath. */
function againText(
  { atMs, notBeforeMs }: { readonly atMs: number; readonly notBeforeMs: number },
  next: OnTask | undefined,
): string {
  if (next?.type === 'TaskParked' && next.data.cause !== 'operator') return '';
  if (next?.type === 'TaskPaused' && next.data.atMs === atMs) return '';
  return ` It may be claimed again after ${durationText(notBeforeMs - atMs)}.`;
}

/** What became of a task on which it depends. */
function tellOfOther({ type, data }: OnTask): string {
  const other = `Task ${data.taskId}, on which it depends,`;
  return type === 'TaskCancelled'
    ? because(`${other} was cancelled`, data.reason)
    : `${other} completed.`;
}

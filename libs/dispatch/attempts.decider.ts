import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import { claim } from './claims.decider.js';
import type { AttemptMove, Complete, Fail, Progress } from './commands.js';
import {
  taskOf,
  type DispatchEvent,
  type DispatchState,
  type EndedAttempt,
  type RunningAttempt,
  type Task,
} from './dispatch-state.js';
import { breaker, coolDown } from './gates.decider.js';
import { halted, pausedAfter } from './halts.decider.js';

type Attempt = EndedAttempt | RunningAttempt;

/**
 * What a worker says of its attempt. Whoever lost it is refused, whatever they say. That an agent was
 * started need not be said: whoever gets on, or is done, was.
 */
export function decideMove(command: AttemptMove, state: DispatchState): DispatchEvent[] {
  const { attemptId, fencingToken } = command;
  const attempt = state.running.get(attemptId) ?? state.ended.get(attemptId);
  if (attempt === undefined) {
    const message = `There is no attempt ${attemptId}, or it ended so long ago that it is no longer known. Claim a task to begin one.`;
    throw new Refusal('ATTEMPT_NOT_FOUND', message, { attemptId });
  }
  refuseUnknownToken(attempt, fencingToken);
  if (attempt.fencingToken !== fencingToken) return refuse(command, attempt);
  return 'phase' in attempt
    ? decideRunning(command, attempt, state)
    : decideLateMove(command, attempt, state);
}

function decideRunning(
  command: AttemptMove,
  attempt: RunningAttempt,
  state: DispatchState,
): DispatchEvent[] {
  switch (command.type) {
    case 'beat':
      return [];
    case 'start': {
      if (attempt.phase === 'started') return [];
      const data = { ...idsOf(attempt), sessionId: command.sessionId, atMs: command.nowMs };
      return [{ type: 'AttemptStarted', data }];
    }
    case 'progress':
      return progress(command, attempt);
    case 'complete':
      return complete(command, attempt, state);
    case 'fail':
      return fail(command, attempt, state);
    case 'release':
      return released(attempt, state, command.reason, command.nowMs);
    case 'halted':
      return halted(command, attempt, state);
  }
}

/**
 * `STALE_FENCING_TOKEN` where what was decided says so: a refusal that had to be told first. Ask this
 * of every decision about an attempt, after its events are durable.
 */
export function refusalIn(events: readonly DispatchEvent[]): Refusal | undefined {
  for (const { type, data } of events) {
    if (type === 'StaleTokenRefused') return staleToken(data, data.fencingToken);
  }
  return undefined;
}

function staleToken(
  { attemptId, taskId }: Pick<EndedAttempt, 'attemptId' | 'taskId'>,
  fencingToken: number,
): Refusal {
  const message = `Attempt ${attemptId} no longer has task ${taskId} under the fencing token ${fencingToken}. Stop working on it; a result that was sent is kept.`;
  return new Refusal('STALE_FENCING_TOKEN', message, { attemptId, taskId, fencingToken });
}

/** Whoever shows a token of the future was not fenced off: it has mixed something up. */
function refuseUnknownToken({ attemptId, ...attempt }: Attempt, fencingToken: number): void {
  const isGiven = Number.isInteger(fencingToken) && fencingToken > 0;
  if (isGiven && fencingToken <= attempt.fencingToken) return;
  const message = `No claim gave attempt ${attemptId} the fencing token ${fencingToken}. Send the token that the claim of this attempt answered with.`;
  throw new Refusal('UNKNOWN_FENCING_TOKEN', message, { attemptId, fencingToken });
}

/** An older token than the attempt's own, or the token of one that has ended. Told once per move. */
function refuse(
  { type: move, fencingToken, nowMs: atMs }: AttemptMove,
  attempt: Attempt,
): DispatchEvent[] {
  if (attempt.refused.includes(move)) throw staleToken(attempt, fencingToken);
  return [{ type: 'StaleTokenRefused', data: { ...idsOf(attempt), fencingToken, move, atMs } }];
}

/** A move of an attempt that has ended. */
function decideLateMove(
  command: AttemptMove,
  attempt: EndedAttempt,
  state: DispatchState,
): DispatchEvent[] {
  // Its answer was lost, so that the worker tells it again.
  if (command.type === 'halted' && attempt.end === 'halted') return [];
  if (command.type !== 'complete') return refuse(command, attempt);
  if (isRepeated(command, attempt)) return [];
  const late = lateResult(command, attempt, state);
  // What is kept is told with the refusal, also when the move was refused before.
  return [...late, ...refuse(command, late.length === 0 ? attempt : { ...attempt, refused: [] })];
}

/** Its answer was lost, so that the worker asks again. */
function isRepeated({ resultHash }: Complete, attempt: EndedAttempt): boolean {
  return attempt.end === 'completed' && attempt.resultHash === resultHash;
}

function lateResult(
  { resultHash, nowMs: atMs }: Complete,
  attempt: EndedAttempt,
  state: DispatchState,
): DispatchEvent[] {
  const { lateResults } = taskOf(state, attempt.taskId);
  const isKnown = lateResults.some((it) => it.attemptId === attempt.attemptId);
  if (resultHash === null || isKnown || lateResults.length >= limits.lateResultsPerTaskMax) {
    return [];
  }
  return [{ type: 'LateResultKept', data: { ...idsOf(attempt), resultHash, atMs } }];
}

/** News is another session, or another tenth of the way. All else only shows that it gets on. */
function progress(command: Progress, attempt: RunningAttempt): DispatchEvent[] {
  const { sessionId, percent, nowMs: atMs } = command;
  const isOther = sessionId !== null && sessionId !== attempt.sessionId;
  const tenth = (of: number | null) => Math.floor((of ?? 0) / 10);
  const isFurther = percent !== null && tenth(percent) !== tenth(attempt.percent);
  if (!isOther && !isFurther) return [];
  return [{ type: 'ProgressReported', data: { ...idsOf(attempt), sessionId, percent, atMs } }];
}

function complete(
  command: Complete,
  attempt: RunningAttempt,
  state: DispatchState,
): DispatchEvent[] {
  const { resultHash, claimNext, nowMs } = command;
  const data = { ...idsOf(attempt), resultHash, ...endedAt(attempt, nowMs) };
  const completed: DispatchEvent = { type: 'AttemptCompleted', data };
  if (claimNext === null) return [completed];
  const before = { freed: attempt, unblocked: unblockedBy(attempt.taskId, state) };
  return [completed, ...claim(state, attempt.workerId, claimNext, nowMs, before)];
}

function fail(command: Fail, attempt: RunningAttempt, state: DispatchState): DispatchEvent[] {
  const { error, retryable, claimNext, nowMs } = command;
  const cause = command.coolDown === null ? command.cause : 'cool-down';
  const facts = { ...idsOf(attempt), cause, error, retryable } as const;
  const failed: DispatchEvent = {
    type: 'AttemptFailed',
    data: { ...facts, ...again(attempt, state, nowMs), ...endedAt(attempt, nowMs) },
  };
  const left = leftAfter(command, attempt, state);
  const { provider, account, model } = attempt;
  const cooling =
    command.coolDown === null
      ? cause === 'provider'
        ? breaker(state, attempt, nowMs)
        : undefined
      : coolDown(state, { provider, account, model, hint: command.coolDown, nowMs });
  const events = [failed, ...left, ...(cooling === undefined ? [] : [cooling])];
  if (claimNext === null) return events;
  const shut = cooling === undefined ? {} : { coolDown: cooling.data };
  const before = { freed: attempt, unblocked: [], ...shut };
  return [...events, ...claim(state, attempt.workerId, claimNext, nowMs, before)];
}

/** A night in which the provider refuses is not the task's fault. */
function leftAfter(command: Fail, attempt: RunningAttempt, state: DispatchState): DispatchEvent[] {
  const { retryable, coolDown: hint, error, nowMs } = command;
  const paused = pausedAfter(attempt, state, nowMs);
  if (paused.length > 0) return paused;
  if (!retryable) return [parkedFor('not-retryable', attempt, error, nowMs)];
  return hint === null ? leftWhenLost(attempt, state, error, nowMs) : [];
}

/** The tasks for which only this one was missing. */
function unblockedBy(taskId: string, state: DispatchState): Task[] {
  return [...(state.dependents.get(taskId) ?? [])].flatMap((dependent) => {
    const task = state.tasks.get(dependent);
    if (task?.status.is !== 'waiting') return [];
    return task.status.missing.every((it) => it === taskId) ? [task] : [];
  });
}

export function idsOf(attempt: Attempt): {
  taskId: string;
  attemptId: string;
  workerId: string;
  fencingToken: number;
} {
  const { taskId, attemptId, workerId, fencingToken } = attempt;
  return { taskId, attemptId, workerId, fencingToken };
}

export function endedAt(
  { claimedAtMs }: RunningAttempt,
  nowMs: number,
): { durationMs: number; atMs: number } {
  return { durationMs: nowMs - claimedAtMs, atMs: nowMs };
}

export function released(
  attempt: RunningAttempt,
  state: DispatchState,
  reason: string,
  nowMs: number,
): DispatchEvent[] {
  const data = { ...idsOf(attempt), reason, ...endedAt(attempt, nowMs) };
  return [{ type: 'AttemptReleased', data }, ...pausedAfter(attempt, state, nowMs)];
}

/** Each failure doubles the wait for the next attempt. */
export function again(
  { taskId }: RunningAttempt,
  state: DispatchState,
  nowMs: number,
): { notBeforeMs: number } {
  const { spentAttempts } = taskOf(state, taskId);
  const waitMs = limits.retryFirstWaitMs * 2 ** spentAttempts;
  return { notBeforeMs: nowMs + Math.min(waitMs, limits.retryWaitMsMax) };
}

/** The end of an attempt is the end of its task when it was the last one, unless it was to be halted. */
export function leftWhenLost(
  attempt: RunningAttempt,
  state: DispatchState,
  how: string,
  nowMs: number,
): DispatchEvent[] {
  const paused = pausedAfter(attempt, state, nowMs);
  if (paused.length > 0) return paused;
  const { spec, spentAttempts } = taskOf(state, attempt.taskId);
  if (spentAttempts + 1 < spec.attemptsMax) return [];
  const reason = `The last of ${spec.attemptsMax} attempts ended so: ${how}`;
  return [parkedFor('attempts-used-up', attempt, reason, nowMs)];
}

function parkedFor(
  cause: 'attempts-used-up' | 'not-retryable',
  { taskId }: RunningAttempt,
  reason: string,
  atMs: number,
): DispatchEvent {
  const cut = reason.slice(0, limits.freeTextCharactersMax);
  return { type: 'TaskParked', data: { taskId, cause, reason: cut, atMs } };
}

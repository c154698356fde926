import type { Conversation } from '#eventstore/vocabulary/dispatch.events.js';
import { Refusal } from '#kernel/refusal.js';
import type { Halt, HaltCommand, Halted } from './commands.js';
import {
  isOpen,
  taskOf,
  type DispatchEvent,
  type DispatchState,
  type HaltOrder,
  type RunningAttempt,
  type Task,
} from './dispatch-state.js';

/** Stopping work so that it can be carried on, and carrying it on. */
export function decideHalt(command: HaltCommand, state: DispatchState): DispatchEvent[] {
  const { nowMs: atMs } = command;
  switch (command.type) {
    case 'halt':
      return halt(command, state);
    case 'resume-task': {
      const { taskId, reason } = command;
      const { status } = taskOf(state, taskId);
      if (!isOpen(status)) throw refusalFor(taskId, status.is, 'be resumed');
      return isHalted(state, taskId)
        ? [{ type: 'TaskResumed', data: { taskId, reason, atMs } }]
        : [];
    }
    case 'lift': {
      const { holder, reason } = command;
      return [...state.tasks.values()]
        .filter((task) => holderOf(task, state) === holder)
        .map(({ spec: { taskId } }) => ({ type: 'TaskResumed', data: { taskId, reason, atMs } }));
    }
  }
}

function halt(command: Halt, state: DispatchState): DispatchEvent[] {
  const { target } = command;
  if ('taskId' in target) return haltTask(taskOf(state, target.taskId), command, state);
  return [...state.running.values()]
    .filter(({ scopes }) => scopes.includes(target.scope))
    .flatMap((attempt) => orderHalt(attempt, command));
}

function haltTask(
  { spec: { taskId }, status, conversation }: Task,
  command: Halt,
  state: DispatchState,
): DispatchEvent[] {
  const { how, reason, holder, nowMs: atMs } = command;
  if (!isOpen(status)) throw refusalFor(taskId, status.is, 'be paused');
  if (status.is === 'running') {
    const attempt = state.running.get(status.attemptId);
    return attempt === undefined ? [] : orderHalt(attempt, command);
  }
  // What something else holds, an operator may take over, and nothing else.
  if (status.is === 'paused' && (holder !== null || status.holder === null)) return [];
  const data = { taskId, how, reason, holder, conversation, atMs };
  return [{ type: 'TaskPaused', data }];
}

/** A kill overrides a pause, and an operator's order stays an operator's. What is so already is no event. */
function orderHalt(attempt: RunningAttempt, command: Halt): DispatchEvent[] {
  const { taskId, attemptId, workerId, fencingToken } = attempt;
  const { how, reason, holder, nowMs: atMs } = command;
  const before = openHalt(attempt);
  const isSharper = before?.how === 'pause' && how === 'kill';
  const isTakenOver = holder === null && before?.holder !== null;
  if (before !== undefined && !isSharper && !isTakenOver) return [];
  const order = {
    how: before?.how === 'kill' ? before.how : how,
    reason,
    holder: before?.holder === null ? null : holder,
  };
  const data = { taskId, attemptId, workerId, fencingToken, ...order, atMs };
  return [{ type: 'AttemptHaltOrdered', data }];
}

/** The order that an attempt is under; undefined also where its task was resumed since. */
export function openHalt({ halt }: Pick<RunningAttempt, 'halt'>): HaltOrder | undefined {
  return halt === null || halt.isLifted ? undefined : halt;
}

function isHalted({ tasks, running }: DispatchState, taskId: string): boolean {
  const status = tasks.get(taskId)?.status;
  if (status?.is === 'paused') return true;
  const attempt = status?.is === 'running' ? running.get(status.attemptId) : undefined;
  return attempt !== undefined && openHalt(attempt) !== undefined;
}

/** undefined: nothing keeps it halted; null: an operator does. */
function holderOf({ status }: Task, { running }: DispatchState): string | null | undefined {
  if (status.is === 'paused') return status.holder;
  const attempt = status.is === 'running' ? running.get(status.attemptId) : undefined;
  return attempt && openHalt(attempt)?.holder;
}

/** @throws {Refusal} `ILLEGAL_MOVE` when nobody ordered it, and its worker was not cut off */
export function halted(
  command: Halted,
  attempt: RunningAttempt,
  state: DispatchState,
): DispatchEvent[] {
  const { taskId, attemptId, workerId, fencingToken, claimedAtMs } = attempt;
  const { sessionId, processesEnded, survivors, nowMs: atMs } = command;
  const halt = attempt.halt ?? haltOfWorker(command, workerId);
  if (halt === null) {
    const message = `Nobody ordered attempt ${attemptId} to be halted. Complete it, fail it or give it back.`;
    throw new Refusal('ILLEGAL_MOVE', message, { attemptId });
  }
  const known = sessionId ?? attempt.sessionId;
  const ids = { taskId, attemptId, workerId, fencingToken, sessionId: known };
  const data = { ...ids, processesEnded, survivors, durationMs: atMs - claimedAtMs, atMs };
  const events: DispatchEvent[] = [
    { type: 'AttemptHalted', data },
    paused({ ...attempt, sessionId: known }, halt, state, atMs),
  ];
  if (!halt.isLifted) return events;
  const reason =
    attempt.halt === null
      ? 'Its worker is heard again.'
      : 'It was resumed before it had been halted.';
  return [...events, { type: 'TaskResumed', data: { taskId, reason, atMs } }];
}

/** Nobody lifts what a worker stopped at a limit: an operator has to look at it, and resumes it. */
function haltOfWorker({ cutOff }: Halted, workerId: string): HaltOrder | null {
  if (cutOff === null) return null;
  const { reason, goesOn: isLifted } = cutOff;
  return { how: 'kill', reason, holder: `worker:${workerId}`, isLifted };
}

/** What comes of the end of an attempt that was to be halted: nothing where none was ordered. */
export function pausedAfter(
  attempt: RunningAttempt,
  state: DispatchState,
  atMs: number,
): DispatchEvent[] {
  const order = openHalt(attempt);
  return order === undefined ? [] : [paused(attempt, order, state, atMs)];
}

function paused(
  attempt: RunningAttempt,
  { how, reason, holder }: HaltOrder,
  state: DispatchState,
  atMs: number,
): DispatchEvent {
  const { taskId } = attempt;
  const conversation = conversationOf(attempt, state);
  return { type: 'TaskPaused', data: { taskId, how, reason, holder, conversation, atMs } };
}

/** What carries a conversation on and is halted before it spoke leaves the conversation as it was. */
function conversationOf(
  { attemptId, sessionId, agent, workerId, carriesOn }: RunningAttempt,
  { workers }: DispatchState,
): Conversation | null {
  const host = workers.get(workerId)?.host;
  if (sessionId === null || host === undefined) return carriesOn;
  return { sessionId, agent, host, attemptId: carriesOn?.attemptId ?? attemptId };
}

function refusalFor(taskId: string, status: Task['status']['is'], move: string): Refusal {
  const advice =
    status === 'parked' ? 'Replay it to have it run again.' : 'There is nothing left to do of it.';
  const message = `Task ${taskId} is ${status} and cannot ${move}. ${advice}`;
  return new Refusal('ILLEGAL_MOVE', message, { taskId, status });
}

import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import { kindOfSpec, kindOfTask } from './claims.decider.js';
import type { AdoptLateResult, Submit, TaskCommand, TaskSpec } from './commands.js';
import {
  isOpen,
  taskOf,
  type DispatchEvent,
  type DispatchState,
  type Task,
} from './dispatch-state.js';
import { refuseFullQueue, refuseTooManyKinds } from './room.decider.js';

/** What people and programs want of tasks, apart from running them. */
export function decideTask(command: TaskCommand, state: DispatchState): DispatchEvent[] {
  if (command.type === 'submit') return submit(command, state);
  if (command.type === 'adopt-late-result') return adopt(command, state);
  const task = taskOf(state, command.taskId);
  const { taskId, nowMs: atMs } = command;
  const { is } = task.status;
  switch (command.type) {
    case 'cancel':
      if (is === 'cancelled') return [];
      if (!isOpen(task.status) && is !== 'parked') throw illegal(task, 'be cancelled');
      return cancelWithDependents(state, taskId, command.reason, atMs);
    case 'park':
      if (is === 'parked') return [];
      if (!isOpen(task.status)) throw illegal(task, 'be parked');
      return [
        { type: 'TaskParked', data: { taskId, cause: 'operator', reason: command.reason, atMs } },
      ];
    case 'retry':
      return retry(task, state, atMs);
    case 'replay':
      if (is !== 'parked') throw illegal(task, 'be replayed');
      refuseTooManyKinds(state, [kindOfTask(task)]);
      return [{ type: 'TaskReplayed', data: { taskId, atMs } }];
    case 'reprioritise':
      if (!isOpen(task.status)) throw illegal(task, 'change its lane');
      if (task.lane === command.lane) return [];
      refuseTooManyKinds(state, [kindOfTask({ ...task, lane: command.lane })], kindOfTask(task));
      return [{ type: 'TaskReprioritised', data: { taskId, lane: command.lane, atMs } }];
  }
}

/** From its beginning, wherever that may be: a conversation that it would carry on is let go. */
function retry(task: Task, state: DispatchState, atMs: number): DispatchEvent[] {
  const { status, conversation, spec } = task;
  const isQueued = status.is === 'ready' || status.is === 'waiting';
  // It is on its way already: whoever asks twice has what they want.
  if (isQueued && conversation === null) return [];
  if (status.is === 'running' || status.is === 'completed' || status.is === 'parked') {
    throw illegal(task, 'be retried');
  }
  refuseWithDeadDependency(state, task);
  if (status.is === 'cancelled') refuseFullQueue(state, 1);
  const left = isOpen(status) ? kindOfTask(task) : undefined;
  refuseTooManyKinds(state, [kindOfTask({ ...task, conversation: null })], left);
  return [{ type: 'TaskRetried', data: { taskId: spec.taskId, atMs } }];
}

function illegal({ spec, status }: Task, move: string): Refusal {
  const advice = {
    waiting: 'It waits for what it depends on.',
    ready: 'It waits for a worker.',
    delayed: 'It waits to be tried again.',
    running: 'Wait for its end, or cancel it.',
    paused: 'Resume it to have it go on.',
    completed: 'Submit it anew to have it run again.',
    cancelled: 'Retry it to have it run after all.',
    parked: 'Replay it to have it run again.',
  };
  const message = `Task ${spec.taskId} is ${status.is} and cannot ${move}. ${advice[status.is]}`;
  return new Refusal('ILLEGAL_MOVE', message, { taskId: spec.taskId, status: status.is });
}

/** What depends on a cancelled task could never run, so that it goes with it. */
function cancelWithDependents(
  state: DispatchState,
  taskId: string,
  reason: string,
  atMs: number,
): DispatchEvent[] {
  const first = { taskId, reason, becauseOfTaskId: null, atMs };
  const events: DispatchEvent[] = [{ type: 'TaskCancelled', data: first }];
  const seen = new Set([taskId]);
  // Grows while it is walked.
  for (const cause of seen) {
    for (const dependent of state.dependents.get(cause) ?? []) {
      const status = state.tasks.get(dependent)?.status;
      if (seen.has(dependent) || status === undefined) continue;
      if (!isOpen(status) && status.is !== 'parked') continue;
      seen.add(dependent);
      const why = `It depends on ${cause}, which was cancelled.`;
      const data = { taskId: dependent, reason: why, becauseOfTaskId: cause, atMs };
      events.push({ type: 'TaskCancelled', data });
    }
  }
  return events;
}

function refuseWithDeadDependency(state: DispatchState, { spec }: Task): void {
  const forgotten = spec.dependsOn.find((it) => !state.tasks.has(it));
  if (forgotten !== undefined) throw unknownDependency(spec, forgotten);
  const dead = spec.dependsOn.find((it) => state.tasks.get(it)?.status.is === 'cancelled');
  if (dead === undefined) return;
  const message = `Task ${spec.taskId} depends on ${dead}, which is cancelled. Retry ${dead} first.`;
  throw new Refusal('ILLEGAL_MOVE', message, { taskId: spec.taskId, dependency: dead });
}

function adopt(
  { taskId, attemptId, nowMs }: AdoptLateResult,
  state: DispatchState,
): DispatchEvent[] {
  const task = taskOf(state, taskId);
  if (task.status.is === 'completed' && task.status.attemptId === attemptId) return [];
  if (!task.lateResults.some((it) => it.attemptId === attemptId)) {
    const message = `Attempt ${attemptId} brought no late result for task ${taskId}. Show the task to see which did.`;
    throw new Refusal('ATTEMPT_NOT_FOUND', message, { taskId, attemptId });
  }
  if (task.status.is === 'completed' || task.status.is === 'running') {
    throw illegal(task, 'take a late result');
  }
  return [{ type: 'LateResultAdopted', data: { taskId, attemptId, atMs: nowMs } }];
}

/** @throws {Refusal} for the whole batch, so that half a plan is never queued. */
function submit({ tasks, nowMs: atMs }: Submit, state: DispatchState): DispatchEvent[] {
  if (tasks.length > limits.tasksPerBatchMax) {
    const message = `${tasks.length} tasks in one batch are too many: split it (at most ${limits.tasksPerBatchMax}).`;
    throw new Refusal('BAD_REQUEST', message, { tasksMax: limits.tasksPerBatchMax });
  }
  const known = knownIds(tasks, state);
  const meant = tasks.map((spec) => ({
    ...spec,
    dependsOn: [...new Set(spec.dependsOn.map((it) => known.get(it) ?? it))],
  }));
  const fresh = meant.filter((spec) => isNew(spec, known, state));
  refuseFullQueue(state, fresh.length);
  refuseTooManyKinds(state, fresh.map(kindOfSpec));
  const inBatch = new Set(fresh.map(({ taskId }) => taskId));
  for (const spec of fresh) refuseDependencies(spec, inBatch, state);
  return inOrder(fresh).map((spec) => ({ type: 'TaskSubmitted', data: { ...spec, atMs } }));
}

/** The ids under which tasks of the batch are known already, by their idempotency keys. */
function knownIds(tasks: readonly TaskSpec[], state: DispatchState): Map<string, string> {
  const known = new Map<string, string>();
  const inBatch = new Map<string, string>();
  for (const { taskId, idempotencyKey } of tasks) {
    if (idempotencyKey === null) continue;
    const first = state.taskByKey.get(idempotencyKey) ?? inBatch.get(idempotencyKey);
    if (first !== undefined) known.set(taskId, first);
    else inBatch.set(idempotencyKey, taskId);
  }
  return known;
}

/** @throws {Refusal} `IDEMPOTENCY_KEY_REUSED` when it is known as something else */
function isNew(spec: TaskSpec, known: ReadonlyMap<string, string>, state: DispatchState): boolean {
  const id = known.get(spec.taskId) ?? spec.taskId;
  const before = state.tasks.get(id)?.spec;
  if (before === undefined) return id === spec.taskId;
  if (textOf(before) === textOf(spec)) return false;
  const { idempotencyKey } = spec;
  const message = `Task ${id} was submitted with other contents under ${idempotencyKey === null ? 'this id' : `the idempotency key ${idempotencyKey}`}. Give each task a key of its own.`;
  throw new Refusal('IDEMPOTENCY_KEY_REUSED', message, { taskId: id, idempotencyKey });
}

/** All that a submission says, whatever the order in which it says it. */
function textOf(spec: TaskSpec): string {
  const said = { ...spec, taskId: null, dependsOn: [...spec.dependsOn].sort() };
  return JSON.stringify(Object.entries(said).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function refuseDependencies(
  spec: TaskSpec,
  inBatch: ReadonlySet<string>,
  state: DispatchState,
): void {
  for (const dependency of spec.dependsOn) {
    const status = state.tasks.get(dependency)?.status;
    if (!inBatch.has(dependency) && status === undefined) {
      throw unknownDependency(spec, dependency);
    }
    if (status?.is !== 'cancelled') continue;
    const message = `Task ${spec.taskId} depends on ${dependency}, which is cancelled. Retry ${dependency} first.`;
    throw new Refusal('ILLEGAL_MOVE', message, { taskId: spec.taskId, dependency });
  }
}

function unknownDependency({ taskId }: TaskSpec, dependency: string): Refusal {
  const message = `Task ${taskId} depends on ${dependency}, which does not exist, or ended so long ago that it is forgotten. Submit that one first or in the same batch, or submit this one without it.`;
  return new Refusal('DEPENDENCY_NOT_FOUND', message, { taskId, dependency });
}

/**
 * What others depend on first.
 *
 * @throws {Refusal} `CYCLIC_DEPENDENCIES`, naming tasks that wait for each other
 */
function inOrder(tasks: readonly TaskSpec[]): TaskSpec[] {
  const left = new Map(tasks.map((spec) => [spec.taskId, spec]));
  const ordered: TaskSpec[] = [];
  while (left.size > 0) {
    const free = [...left.values()].filter((it) => !it.dependsOn.some((other) => left.has(other)));
    if (free.length === 0) {
      const names = [...left.keys()].slice(0, limits.reasonsExplainedMax);
      const message = `These tasks wait for each other, or for tasks that do: ${names.join(', ')}. Take one dependency of the circle out.`;
      throw new Refusal('CYCLIC_DEPENDENCIES', message, { tasks: names });
    }
    for (const spec of free) left.delete(spec.taskId);
    ordered.push(...free);
  }
  return ordered;
}

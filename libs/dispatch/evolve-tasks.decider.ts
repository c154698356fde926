import { kindOfTask } from './claims.decider.js';
import { limits } from '#kernel/limits.js';
import {
  dueMsOf,
  isEnded,
  isOpen,
  type EndedAttempt,
  type OwnState,
  type Task,
} from './dispatch-state.js';
import { keyOf, type ReadyQueue } from './ready-queue.js';

/** How a task stands in the state, and in every index of it. */

/** The one place that puts a task into the indexes where it belongs, and out of the others. */
export function put(state: OwnState, task: Task): void {
  const { taskId } = task.spec;
  const before = state.tasks.get(taskId);
  if (before?.status.is === 'ready' || before?.status.is === 'delayed') state.ready.take(taskId);
  state.delayed.delete(taskId);
  count(state, task, 1);
  if (before !== undefined) count(state, before, -1);
  state.tasks.set(taskId, task);
  const wasEnded = before === undefined || isEnded(before.status);
  if (wasEnded && !isEnded(task.status)) hold(state, task);
  if (!wasEnded && isEnded(task.status)) letGo(state, task);
  if (task.status.is === 'delayed') state.delayed.add(taskId);
  queue(state.ready, task);
}

/** What a task that has not ended depends on must not be forgotten. */
function hold(state: OwnState, { spec }: Task): void {
  state.forgettable.delete(spec.taskId);
  for (const other of spec.dependsOn) {
    const dependents = state.dependents.get(other) ?? new Set();
    state.dependents.set(other, dependents.add(spec.taskId));
    state.forgettable.delete(other);
  }
}

function letGo(state: OwnState, { spec }: Task): void {
  for (const other of spec.dependsOn) {
    state.dependents.get(other)?.delete(spec.taskId);
    mayForget(state, other);
  }
  mayForget(state, spec.taskId);
  for (const oldest of state.forgettable) {
    if (state.forgettable.size <= state.endedRememberedMax) break;
    forget(state, oldest);
  }
}

function mayForget(state: OwnState, taskId: string): void {
  if ((state.dependents.get(taskId)?.size ?? 0) > 0) return;
  state.dependents.delete(taskId);
  const task = state.tasks.get(taskId);
  if (task !== undefined && isEnded(task.status)) state.forgettable.add(taskId);
}

/** With its idempotency key and its attempts: as if it had never been. */
function forget(state: OwnState, taskId: string): void {
  const task = state.tasks.get(taskId);
  state.forgettable.delete(taskId);
  state.tasks.delete(taskId);
  for (const attemptId of task?.endedAttempts ?? []) state.ended.delete(attemptId);
  const key = task?.spec.idempotencyKey ?? '';
  if (state.taskByKey.get(key) === taskId) state.taskByKey.delete(key);
}

/** A task that is given back or refused by its provider over and over has any number of them. */
export function rememberAttempt(state: OwnState, attempt: EndedAttempt): void {
  const { attemptId, taskId } = attempt;
  const task = state.tasks.get(taskId);
  if (task === undefined) return;
  const all = [...task.endedAttempts, attemptId];
  const endedAttempts = all.slice(-limits.endedAttemptsPerTaskMax);
  for (const old of all.slice(0, -endedAttempts.length)) state.ended.delete(old);
  state.ended.set(attemptId, attempt);
  state.tasks.set(taskId, { ...task, endedAttempts });
}

/** Into the queue, when it may be claimed now or later. */
export function queue(ready: ReadyQueue, task: Task): void {
  const { spec, order, status } = task;
  const place = { taskId: spec.taskId, dueMs: dueMsOf(task), order };
  const kind = kindOfTask(task);
  if (status.is === 'ready') ready.put(kind, place);
  if (status.is === 'delayed') ready.putLater({ ...place, kind, notBeforeMs: status.notBeforeMs });
}

/** What is open counts against the limits of the queue, and so does what waits in the dead letters. */
function count(state: OwnState, task: Task, by: 1 | -1): void {
  if (task.status.is === 'parked') state.parkedTasks += by;
  if (!isOpen(task.status)) return;
  state.openTasks += by;
  add(state.openKinds, keyOf(kindOfTask(task)), by);
}

export function change(state: OwnState, taskId: string, changed: Partial<Task>): void {
  const task = state.tasks.get(taskId);
  if (task !== undefined) put(state, { ...task, ...changed });
}

/** Ready, or waiting for what it depends on. What is forgotten had ended when that was decided. */
export function queued(state: OwnState, task: Omit<Task, 'status'>, atMs: number): Task {
  const missing = task.spec.dependsOn.filter((other) => {
    const status = state.tasks.get(other)?.status;
    return status !== undefined && status.is !== 'completed';
  });
  if (missing.length > 0) return { ...task, status: { is: 'waiting', missing } };
  return { ...task, status: { is: 'ready' }, readySinceMs: task.readySinceMs ?? atMs };
}

/** What comes to nothing is not kept, so that the same state always looks the same. */
export function add(sums: Map<string, number>, key: string, by: number): void {
  const sum = (sums.get(key) ?? 0) + by;
  if (sum === 0) sums.delete(key);
  else sums.set(key, sum);
}

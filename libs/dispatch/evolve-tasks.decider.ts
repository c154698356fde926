import { kindOfTask } from './claims.decider.js';
import { dueMsOf, isOpen, type OwnState, type Task } from './dispatch-state.js';
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
  if (task.status.is === 'delayed') state.delayed.add(taskId);
  queue(state.ready, task);
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

/** Ready, or waiting for what it depends on. */
export function queued(state: OwnState, task: Omit<Task, 'status'>, atMs: number): Task {
  const missing = task.spec.dependsOn.filter(
    (other) => state.tasks.get(other)?.status.is !== 'completed',
  );
  if (missing.length > 0) return { ...task, status: { is: 'waiting', missing } };
  return { ...task, status: { is: 'ready' }, readySinceMs: task.readySinceMs ?? atMs };
}

/** What comes to nothing is not kept, so that the same state always looks the same. */
export function add(sums: Map<string, number>, key: string, by: number): void {
  const sum = (sums.get(key) ?? 0) + by;
  if (sum === 0) sums.delete(key);
  else sums.set(key, sum);
}

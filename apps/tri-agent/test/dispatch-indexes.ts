import { isDeepStrictEqual } from 'node:util';
import { limits } from '#kernel/limits.js';
import { kindOfTask } from '#libs/dispatch/claims.decider.js';
import { isEnded, isOpen, type DispatchState, type Task } from '#libs/dispatch/dispatch-state.js';
import { keyOf } from '#libs/dispatch/ready-queue.js';

/** Where an index of the state says something else than the tasks and attempts themselves. */
export function indexFaults(state: DispatchState): string[] {
  const tasks = [...state.tasks.values()];
  const inStatus = (is: Task['status']['is']) => tasks.filter(({ status }) => status.is === is);
  const open = tasks.filter(({ status }) => isOpen(status));
  const held = tasks.filter(({ status }) => !isEnded(status));
  const needed = new Set(held.flatMap(({ spec }) => spec.dependsOn));
  const running = [...state.running.values()];
  const pairs: Record<string, readonly [unknown, unknown]> = {
    openTasks: [state.openTasks, open.length],
    parkedTasks: [state.parkedTasks, inStatus('parked').length],
    openKinds: [state.openKinds, counted(open.map((it) => keyOf(kindOfTask(it))))],
    ready: [state.ready.length, inStatus('ready').length],
    delayed: [new Set(state.delayed), new Set(idsOf(inStatus('delayed')))],
    dependents: [state.dependents, dependentsOf(held)],
    running: [idsOf(inStatus('running')).sort(), running.map(({ taskId }) => taskId).sort()],
    wip: [state.wip, counted(running.flatMap(({ scopes }) => scopes))],
    taskByKey: [
      state.taskByKey,
      new Map(
        tasks.flatMap(({ spec: { idempotencyKey: key, taskId } }) =>
          key === null ? [] : [[key, taskId]],
        ),
      ),
    ],
    forgettable: [
      new Set(state.forgettable),
      new Set(idsOf(tasks.filter((it) => isEnded(it.status) && !needed.has(it.spec.taskId)))),
    ],
    ended: [new Set(state.ended.keys()), new Set(tasks.flatMap((it) => it.endedAttempts))],
  };
  const faults = Object.entries(pairs)
    .filter(([, [indexed, plain]]) => !isDeepStrictEqual(indexed, plain))
    .map(([name]) => `The index ${name} disagrees with the tasks.`);
  if (state.forgettable.size > state.endedRememberedMax) faults.push('Too much is remembered.');
  for (const { spec, endedAttempts } of tasks) {
    if (endedAttempts.length <= limits.endedAttemptsPerTaskMax) continue;
    faults.push(`Too many attempts of ${spec.taskId} are remembered.`);
  }
  for (const { spec } of held) {
    const gone = spec.dependsOn.find((it) => !state.tasks.has(it));
    if (gone !== undefined) faults.push(`${spec.taskId} depends on ${gone}, which is forgotten.`);
  }
  return faults;
}

function idsOf(tasks: readonly Task[]): string[] {
  return tasks.map(({ spec }) => spec.taskId);
}

function counted(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function dependentsOf(held: readonly Task[]): Map<string, Set<string>> {
  const dependents = new Map<string, Set<string>>();
  for (const { spec } of held) {
    for (const other of spec.dependsOn) {
      dependents.set(other, (dependents.get(other) ?? new Set()).add(spec.taskId));
    }
  }
  return dependents;
}

import { z } from 'zod';
import type {
  CoolingDown,
  DispatchState,
  EndedAttempt,
  OwnState,
  RunningAttempt,
  Task,
  Worker,
} from './dispatch-state.js';
import { queue } from './evolve-tasks.decider.js';
import { ReadyQueue } from './ready-queue.js';

/**
 * The state of dispatch as JSON, so that a start need not fold every event that ever was. What is
 * made of it goes on exactly as the state itself would.
 */

/** Another one whenever the state means something else: then everything is folded anew. */
const format = 3;

/** A map, in its order. What its values are is not looked at: whoever keeps the JSON sees to that. */
function mapOf<V>() {
  return z.array(z.tuple([z.string(), z.custom<V>()]));
}

type Gate<K extends 'closed' | 'tripped'> =
  DispatchState[K] extends ReadonlyMap<string, infer V> ? V : never;

const amounts = z.array(z.tuple([z.string(), z.number()]));
const ids = z.array(z.string());
const count = z.int().nonnegative();

const stateShape = z.strictObject({
  tasks: z.array(z.custom<Task>()),
  taskByKey: z.array(z.tuple([z.string(), z.string()])),
  dependents: z.array(z.tuple([z.string(), ids])),
  forgettable: ids,
  endedRememberedMax: count,
  delayed: ids,
  running: mapOf<RunningAttempt>(),
  ended: mapOf<EndedAttempt>(),
  workers: mapOf<Worker>(),
  closed: mapOf<Gate<'closed'>>(),
  tripped: mapOf<Gate<'tripped'>>(),
  wipLimits: amounts,
  wip: amounts,
  reservedNanoUsd: amounts,
  settling: z.array(z.strictObject({ untilMs: count, nanoUsdByScope: amounts })),
  coolingDown: mapOf<CoolingDown>(),
  providerFailures: amounts,
  openTasks: count,
  parkedTasks: count,
  openKinds: amounts,
  lastOrder: count,
  lastFencingToken: count,
  clockMs: count,
});

const shape = z.strictObject({ format: z.literal(format), state: stateShape });

/** @returns what `JSON.stringify` takes. It shares records with the state, so make text of it at once. */
export function toSnapshot(state: DispatchState): unknown {
  const { endedRememberedMax, openTasks, parkedTasks } = state;
  const { lastOrder, lastFencingToken, clockMs } = state;
  const plain: z.infer<typeof stateShape> = {
    ...{ endedRememberedMax, openTasks, parkedTasks, lastOrder, lastFencingToken, clockMs },
    tasks: [...state.tasks.values()],
    taskByKey: [...state.taskByKey],
    dependents: [...state.dependents].map(([taskId, dependents]) => [taskId, [...dependents]]),
    forgettable: [...state.forgettable],
    delayed: [...state.delayed],
    running: [...state.running],
    ended: [...state.ended],
    workers: [...state.workers],
    closed: [...state.closed],
    tripped: [...state.tripped],
    wipLimits: [...state.wipLimits],
    wip: [...state.wip],
    reservedNanoUsd: [...state.reservedNanoUsd],
    settling: state.settling.map(({ untilMs, nanoUsdByScope }) => ({
      untilMs,
      nanoUsdByScope: [...nanoUsdByScope],
    })),
    coolingDown: [...state.coolingDown],
    providerFailures: [...state.providerFailures],
    openKinds: [...state.openKinds],
  };
  return { format, state: plain };
}

/** @returns undefined when it is not a snapshot of this format: then fold from the beginning. */
export function fromSnapshot(json: unknown): OwnState | undefined {
  const parsed = shape.safeParse(json);
  if (!parsed.success) return undefined;
  const snapshot = parsed.data.state;
  const ready = new ReadyQueue();
  for (const task of snapshot.tasks) queue(ready, task);
  return {
    ...snapshot,
    tasks: new Map(snapshot.tasks.map((task) => [task.spec.taskId, task])),
    taskByKey: new Map(snapshot.taskByKey),
    dependents: new Map(snapshot.dependents.map(([taskId, all]) => [taskId, new Set(all)])),
    forgettable: new Set(snapshot.forgettable),
    ready,
    delayed: new Set(snapshot.delayed),
    running: new Map(snapshot.running),
    ended: new Map(snapshot.ended),
    workers: new Map(snapshot.workers),
    closed: new Map(snapshot.closed),
    tripped: new Map(snapshot.tripped),
    wipLimits: new Map(snapshot.wipLimits),
    wip: new Map(snapshot.wip),
    reservedNanoUsd: new Map(snapshot.reservedNanoUsd),
    settling: snapshot.settling.map(({ untilMs, nanoUsdByScope }) => ({
      untilMs,
      nanoUsdByScope: new Map(nanoUsdByScope),
    })),
    coolingDown: new Map(snapshot.coolingDown),
    providerFailures: new Map(snapshot.providerFailures),
    openKinds: new Map(snapshot.openKinds),
  };
}

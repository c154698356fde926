import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import type { DispatchState } from './dispatch-state.js';
import { keyOf, type TaskKind } from './ready-queue.js';

/** Whether the queue has room for more. */

/** @throws {Refusal} `QUEUE_FULL` */
export function refuseFullQueue(state: DispatchState, more: number): void {
  const { openTasks, parkedTasks } = state;
  if (openTasks + parkedTasks + more <= limits.tasksOpenMax) return;
  const message = `The queue is full: ${openTasks} tasks are open and ${parkedTasks} are in the dead letters (at most ${limits.tasksOpenMax} together). Try again when some have ended, or cancel what nobody wants.`;
  throw new Refusal('QUEUE_FULL', message, { openTasks, parkedTasks });
}

/**
 * A claim looks at one task of each kind, so that there may not be any number of kinds.
 *
 * @param left the kind that one task is no longer of, when all of this has happened.
 * @throws {Refusal} `TOO_MANY_KINDS`
 */
export function refuseTooManyKinds(
  state: DispatchState,
  kinds: readonly TaskKind[],
  left?: TaskKind,
): void {
  const { openKinds } = state;
  const fresh = new Set(kinds.map(keyOf).filter((key) => !openKinds.has(key))).size;
  const gone = left !== undefined && openKinds.get(keyOf(left)) === 1 ? 1 : 0;
  const max = limits.taskKindsMax;
  if (fresh === 0 || openKinds.size - gone + fresh <= max) return;
  const message = `Open tasks are of ${openKinds.size} kinds, and this would make it more than ${max}. A kind is a lane, shard, agent, model, team, project and reservation: give tasks fewer different ones, round what they reserve, or try again when some have ended.`;
  throw new Refusal('TOO_MANY_KINDS', message, { kinds: openKinds.size, kindsMax: max });
}

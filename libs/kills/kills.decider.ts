import type { KillTarget } from '#eventstore/vocabulary/kills.events.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Decider } from '#kernel/decider.js';
import type { Fact } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';

/** What is to be ended at once, and whether it was. */

export type KillEvent = {
  [T in 'KillOrdered' | 'KillConfirmed' | 'KillFailed']: Fact<T, DataOf<T>>;
}['KillOrdered' | 'KillConfirmed' | 'KillFailed'];

type Survivors = DataOf<'KillFailed'>['survivors'];

export type KillCommand =
  | {
      readonly type: 'order';
      /** Ids are made by whoever orders. */
      readonly kills: readonly { readonly killId: string; readonly target: KillTarget }[];
      readonly reason: string;
      /** Null: an operator's, who may order again what failed. */
      readonly budgetId: string | null;
    }
  | {
      readonly type: 'confirm';
      readonly killId: string;
      readonly ended: number;
      readonly durationMs: number | null;
    }
  | {
      readonly type: 'fail';
      readonly killId: string;
      readonly survivors: Readonly<Survivors>;
      readonly reason: string;
    };

export interface Kill {
  readonly killId: string;
  readonly target: KillTarget;
  readonly reason: string;
  readonly budgetId: string | null;
  readonly outcome:
    | { readonly is: 'open' }
    | { readonly is: 'confirmed'; readonly ended: number; readonly durationMs: number | null }
    | { readonly is: 'failed'; readonly survivors: Survivors; readonly reason: string };
}

/** The newest, in the order in which they were ordered: all that are open, and some that are not. */
export type Kills = ReadonlyMap<string, Kill>;

export const killsDecider: Decider<KillCommand, Kills, KillEvent> = {
  initial: new Map(),

  decide(command, kills) {
    if (command.type === 'order') return ordered(command, kills);
    const kill = kills.get(command.killId);
    if (kill === undefined || kill.outcome.is === 'confirmed') return [];
    const { killId, target } = kill;
    if (command.type === 'confirm') {
      const { ended, durationMs } = command;
      return [{ type: 'KillConfirmed', data: { killId, target, ended, durationMs } }];
    }
    if (kill.outcome.is === 'failed') return [];
    const { reason } = command;
    const survivors = command.survivors.slice(0, limits.survivorsToldMax);
    return [{ type: 'KillFailed', data: { killId, target, survivors, reason } }];
  },

  evolve(kills, { type, data }) {
    const changed = new Map(kills);
    if (type === 'KillOrdered') {
      changed.set(data.killId, { ...data, outcome: { is: 'open' } });
      return withoutOldest(changed);
    }
    const kill = kills.get(data.killId);
    if (kill === undefined) return kills;
    const { reason, ended, survivors, durationMs } = {
      ...{ reason: '', ended: 0, survivors: [], durationMs: null },
      ...data,
    };
    const outcome =
      type === 'KillConfirmed'
        ? ({ is: 'confirmed', ended, durationMs } as const)
        : ({ is: 'failed', survivors, reason } as const);
    changed.set(data.killId, { ...kill, outcome });
    return changed;
  },
};

/**
 * What is being ended already is not ordered twice; what could not be ended, only by an operator, or for
 * another reason: a budget says the same for as long as it is tripped.
 */
function ordered(
  { kills: wanted, reason, budgetId }: Extract<KillCommand, { type: 'order' }>,
  kills: Kills,
): KillEvent[] {
  const standing = new Map(
    [...kills.values()].map((kill) => [
      keyOf(kill.target),
      { is: kill.outcome.is, reason: kill.reason },
    ]),
  );
  return wanted.flatMap(({ killId, target }): KillEvent[] => {
    const before = standing.get(keyOf(target));
    if (before?.is === 'open' || kills.has(killId)) return [];
    if (before?.is === 'failed' && budgetId !== null && before.reason === reason) return [];
    // Two of the same in one command are one.
    standing.set(keyOf(target), { is: 'open', reason });
    return [{ type: 'KillOrdered', data: { killId, target, reason, budgetId } }];
  });
}

/** What tells a target from all others: a process is not another one that has its pid. */
export function keyOf(target: KillTarget): string {
  return target.kind === 'attempt'
    ? `attempt ${target.attemptId}`
    : `process ${target.host} ${target.pid} ${target.startMark}`;
}

function withoutOldest(kills: Map<string, Kill>): Kills {
  for (const [killId, { outcome }] of kills) {
    if (kills.size <= limits.killsRememberedMax) break;
    if (outcome.is !== 'open') kills.delete(killId);
  }
  return kills;
}

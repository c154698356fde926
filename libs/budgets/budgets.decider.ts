import type { Decider } from '#kernel/decider.js';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import {
  noBudgets,
  type Budget,
  type BudgetEvent,
  type BudgetLimit,
  type BudgetsState,
  type BudgetState,
  type Reading,
} from './budgets-state.js';
import { evolveBudgets } from './evolve-budgets.decider.js';
import { observe } from './observe-spend.decider.js';
import { areInOrder, stepOf, weakerOf } from './steps.js';
import { isSameWindow, isTimeZone } from './windows.js';

/**
 * What may be wanted of budgets. `current` is what the window of this moment holds, as the budget's
 * scope and window were before the command; null where there was none.
 */
export type BudgetCommand =
  | {
      readonly type: 'set';
      readonly budget: Budget;
      readonly reason: string;
      readonly current: Current;
    }
  | {
      readonly type: 'raise';
      readonly budgetId: string;
      readonly limit: BudgetLimit;
      readonly reason: string;
      readonly current: Current;
    }
  | { readonly type: 'remove'; readonly budgetId: string; readonly reason: string }
  | {
      readonly type: 'reset';
      readonly budgetId: string;
      readonly reason: string;
      readonly current: Current;
    }
  /** The budgets that a new house begins with. */
  | { readonly type: 'begin'; readonly budgets: readonly Budget[] }
  | { readonly type: 'observe'; readonly readings: readonly Reading[] };

type Current = Reading | null;
type Wish<Type extends BudgetCommand['type']> = Extract<BudgetCommand, { type: Type }>;

/** What budgets are set to, and what crossing one leads to. */
export const budgetsDecider: Decider<BudgetCommand, BudgetsState, BudgetEvent> = {
  initial: noBudgets,
  decide(command, state) {
    switch (command.type) {
      case 'set':
        return set(command, state);
      case 'raise':
        return raise(command, state);
      case 'remove':
        return [{ type: 'BudgetRemoved', data: named(command, state) }];
      case 'reset':
        return reset(command, state);
      case 'begin':
        return state.hadDefaults ? [] : command.budgets.map((it) => setEvent(it, '', undefined));
      case 'observe':
        return observe(state, command.readings);
    }
  },
  evolve: evolveBudgets,
};

/** @throws {Refusal} `BUDGET_NOT_FOUND` */
export function budgetOf({ budgets }: BudgetsState, budgetId: string): BudgetState {
  const budget = budgets.get(budgetId);
  if (budget !== undefined) return budget;
  throw new Refusal('BUDGET_NOT_FOUND', `There is no budget "${budgetId}".`);
}

function set({ budget, reason, current }: Wish<'set'>, state: BudgetsState): BudgetEvent[] {
  refuseUnsound(budget);
  const before = state.budgets.get(budget.budgetId);
  if (before === undefined) {
    refuseTooMany(state);
    return [setEvent(budget, reason, undefined)];
  }
  if (isEqual(before, budget)) return [];
  if (!isOfSameWindow(before, budget)) {
    if (before.tripped === null) return [setEvent(budget, reason, undefined)];
    throw new Refusal(
      'BUDGET_TRIPPED',
      `The budget ${budget.budgetId} has tripped, and a trip holds for what it was about. Reset it before it gets another scope or window.`,
    );
  }
  return [setEvent(budget, reason, reachedBy(before, budget, current))];
}

function raise({ budgetId, limit, reason, current }: Wish<'raise'>, state: BudgetsState) {
  const before = budgetOf(state, budgetId);
  const budget = { ...configOf(before), limit, origin: 'operator' } as const;
  refuseUnsound(budget);
  if (limit.unit !== before.limit.unit || limit.amount <= before.limit.amount) {
    throw new Refusal(
      'BUDGET_NOT_RAISED',
      'A raise makes the limit higher, in the same unit. Use set to make it lower or another.',
    );
  }
  return [setEvent(budget, reason, reachedBy(before, budget, current))];
}

function reset({ budgetId, reason, current }: Wish<'reset'>, state: BudgetsState): BudgetEvent[] {
  const budget = budgetOf(state, budgetId);
  if (budget.tripped === null) return [];
  const step = current === null ? 'trip' : stepOf(budget, current.spent);
  if (current === null || step === 'trip') throw stillSpent(budgetId, current);
  const { scope } = budget;
  const windowStart = new Date(current.windowStartMs).toISOString();
  return [
    { type: 'BudgetReset', data: { budgetId, scope, reason, reached: { windowStart, step } } },
  ];
}

/** What is not known counts as spent. */
function stillSpent(budgetId: string, current: Current): Refusal {
  const endMs = current?.windowEndMs ?? null;
  const windowEnd = endMs === null ? null : new Date(endMs).toISOString();
  const wait = windowEnd === null ? '' : `, or wait until ${windowEnd}`;
  return new Refusal(
    'BUDGET_STILL_SPENT',
    `What is spent still reaches the limit of ${budgetId}. Raise it${wait}.`,
    { windowEnd },
  );
}

function named({ budgetId, reason }: Wish<'remove'>, state: BudgetsState) {
  budgetOf(state, budgetId);
  return { budgetId, reason };
}

/** What it has reached under the new limit is not told again; what it has not told before, is. */
function reachedBy(before: BudgetState, budget: Budget, current: Current) {
  if (current === null) return undefined;
  const { windowStartMs, spent } = current;
  const told = before.told.findLast((it) => isSameWindow(before.window, it.startMs, windowStartMs));
  const step = weakerOf(told?.step ?? null, stepOf(budget, spent));
  return { windowStart: new Date(windowStartMs).toISOString(), step };
}

function setEvent(
  budget: Budget,
  reason: string,
  reached: ReturnType<typeof reachedBy>,
): BudgetEvent {
  const data = { ...configOf(budget), reason, ...(reached && { reached }) };
  return { type: 'BudgetSet', data };
}

function configOf({ budgetId, scope, window, timezone, limit, thresholds, origin }: Budget) {
  const own = { limit: { ...limit }, thresholds: { ...thresholds } };
  return { budgetId, scope, window, timezone, ...own, origin };
}

function isOfSameWindow(a: Budget, b: Budget): boolean {
  return (
    a.scope === b.scope &&
    a.window === b.window &&
    a.timezone === b.timezone &&
    a.limit.unit === b.limit.unit
  );
}

function isEqual(a: Budget, b: Budget): boolean {
  return JSON.stringify(configOf(a)) === JSON.stringify(configOf(b));
}

function refuseUnsound({ timezone, limit, thresholds }: Budget): void {
  const { unit, amount } = limit;
  const isMoney = unit === 'nanoUsd';
  const max = isMoney ? limits.budgetLimitNanoUsdMax : limits.budgetLimitTokensMax;
  if (!Number.isSafeInteger(amount) || amount <= 0 || amount > max) {
    const most = isMoney ? '1,000,000 US dollars' : '10,000,000,000,000 tokens';
    const message = `A limit is more than nothing, and at most ${most}.`;
    throw new Refusal('BUDGET_LIMIT_INVALID', message);
  }
  if (!isTimeZone(timezone)) {
    const message = `"${timezone}" is no time zone. Use a name such as Europe/Berlin or UTC.`;
    throw new Refusal('TIME_ZONE_UNKNOWN', message);
  }
  if (!areInOrder(thresholds)) {
    const message =
      'Each step comes after the one before it: warn, gate, pause, and 100 % is the trip.';
    throw new Refusal('BUDGET_THRESHOLDS_INVALID', message);
  }
}

function refuseTooMany({ budgets }: BudgetsState): void {
  if (budgets.size < limits.budgetsMax) return;
  const message = `There are ${limits.budgetsMax} budgets, and no more are taken. Remove those that are not needed.`;
  throw new Refusal('TOO_MANY_BUDGETS', message, { budgetsMax: limits.budgetsMax });
}

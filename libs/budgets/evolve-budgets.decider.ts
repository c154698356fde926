import { limits } from '#kernel/limits.js';
import type { BudgetEvent, BudgetsState, BudgetState, Told } from './budgets-state.js';
import { strengthOf } from './steps.js';
import { isSameWindow } from './windows.js';

type BudgetSet = Extract<BudgetEvent, { type: 'BudgetSet' }>['data'];
type Reached = BudgetSet['reached'];

/** What each event leaves of the budgets. */
export function evolveBudgets(state: BudgetsState, event: BudgetEvent): BudgetsState {
  const { budgetId } = event.data;
  const budgets = new Map(state.budgets);
  if (event.type === 'BudgetSet') {
    budgets.set(budgetId, afterSet(budgets.get(budgetId), event.data));
    return { budgets, hadDefaults: state.hadDefaults || event.data.origin === 'default' };
  }
  const before = budgets.get(budgetId);
  if (before === undefined) return state;
  if (event.type === 'BudgetRemoved') budgets.delete(budgetId);
  else budgets.set(budgetId, afterStep(before, event));
  return { ...state, budgets };
}

function afterSet(before: BudgetState | undefined, data: BudgetSet): BudgetState {
  const { budgetId, scope, window, timezone, limit, thresholds, origin, reached } = data;
  const budget = { budgetId, scope, window, timezone, limit, thresholds, origin };
  const fresh = { ...budget, told: [], sinceMs: -Infinity, tripped: null, held: null };
  if (before === undefined || reached === undefined) return fresh;
  const { told, sinceMs, tripped, held } = before;
  return afterReached({ ...budget, told, sinceMs, tripped, held }, reached);
}

function afterStep(
  before: BudgetState,
  event: Exclude<BudgetEvent, { type: 'BudgetSet' | 'BudgetRemoved' }>,
): BudgetState {
  switch (event.type) {
    case 'BudgetThresholdCrossed': {
      const { step, windowStart } = event.data;
      const isStronger = step !== 'warn' && strengthOf(step) > strengthOf(before.held);
      const held = isStronger ? step : before.held;
      return tells({ ...before, held }, { startMs: Date.parse(windowStart), step });
    }
    case 'BudgetTripped': {
      const { spent, estimated, windowStart } = event.data;
      const tripped = { spent, estimated, windowStart };
      const told = { startMs: Date.parse(windowStart), step: 'trip' } as const;
      return tells({ ...before, tripped, held: null }, told);
    }
    case 'BudgetEased':
      return { ...before, held: event.data.to === 'gate' ? 'gate' : null };
    case 'BudgetReset':
      return afterReached({ ...before, tripped: null, held: null }, event.data.reached);
  }
}

/** The window counts as told up to where it is, and no further. */
function afterReached(budget: BudgetState, reached: Reached): BudgetState {
  if (reached === undefined) return budget;
  const startMs = Date.parse(reached.windowStart);
  const others = budget.told.filter((it) => !isSameWindow(budget.window, it.startMs, startMs));
  const open = { ...budget, told: others, sinceMs: startMs };
  return reached.step === null ? open : tells(open, { startMs, step: reached.step });
}

function tells(budget: BudgetState, told: Told): BudgetState {
  const kept = budget.told.slice(1 - limits.budgetWindowsToldMax);
  return { ...budget, told: [...kept, told] };
}

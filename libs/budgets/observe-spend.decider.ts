import type { BudgetEvent, BudgetsState, BudgetState, Reading } from './budgets-state.js';
import { evolveBudgets } from './evolve-budgets.decider.js';
import { percentOf, stepOf, strengthOf } from './steps.js';
import { isSameWindow } from './windows.js';

/** What readings of spend lead to, one after another: each on what those before it left. */
export function observe(before: BudgetsState, readings: readonly Reading[]): BudgetEvent[] {
  let state = before;
  const events: BudgetEvent[] = [];
  for (const reading of readings) {
    const budget = state.budgets.get(reading.budgetId);
    if (budget === undefined) continue;
    const crossed = crossing(budget, reading);
    if (crossed !== undefined) {
      events.push(crossed);
      state = evolveBudgets(state, crossed);
    }
    const eased = easing(state.budgets.get(reading.budgetId) ?? budget, reading);
    if (eased !== undefined) {
      events.push(eased);
      state = evolveBudgets(state, eased);
    }
  }
  return events;
}

/** A step beyond those that were told of this window; the strongest stands for those below it. */
function crossing(budget: BudgetState, reading: Reading): BudgetEvent | undefined {
  if (budget.tripped !== null) return undefined;
  const isEnded = reading.heldBy === null;
  if (isEnded && reading.windowStartMs < budget.sinceMs) return undefined;
  const step = stepOf(budget, reading.spent);
  if (step === null) return undefined;
  const wasTold = budget.told.some(
    (it) =>
      strengthOf(it.step) >= strengthOf(step) &&
      isSameWindow(budget.window, it.startMs, reading.windowStartMs),
  );
  if (wasTold) return undefined;
  const data = dataOf(budget, reading);
  return step === 'trip'
    ? { type: 'BudgetTripped', data }
    : { type: 'BudgetThresholdCrossed', data: { ...data, step } };
}

function dataOf(budget: BudgetState, reading: Reading) {
  const { budgetId, scope, limit } = budget;
  const { windowStartMs, windowEndMs, spent, estimated } = reading;
  return {
    budgetId,
    percent: percentOf(budget, spent),
    scope,
    windowStart: new Date(windowStartMs).toISOString(),
    windowEnd: windowEndMs === null ? null : new Date(windowEndMs).toISOString(),
    spent,
    estimated,
    limit: { ...limit },
  };
}

/** A trip is never eased. */
function easing(budget: BudgetState, { heldBy }: Reading): BudgetEvent | undefined {
  const { budgetId, scope, held } = budget;
  if (held === null || heldBy === null) return undefined;
  const step = stepOf(budget, heldBy);
  if (strengthOf(step) >= strengthOf(held)) return undefined;
  const to = step === 'gate' || step === 'warn' ? { to: step } : {};
  const reason = `Its window holds ${percentOf(budget, heldBy)} % of the limit.`;
  return { type: 'BudgetEased', data: { budgetId, scope, reason, ...to } };
}

import type { Budget, BudgetEvent, BudgetsState, Reading } from './budgets-state.js';
import { budgetsDecider, type BudgetCommand } from './budgets.decider.js';
import { defaultThresholds } from './steps.js';

/** For specifications: `given(set()).when(observe(spent(80)))` and what came of it. */

export const DAY_MS = 86_400_000;
/** A day begins. */
export const MIDNIGHT = Date.parse('2026-11-20T00:00:00.000Z');

/** 100 nano-dollars a day: an amount is a percentage. */
export function budget(given: Partial<Budget> = {}): Budget {
  const window = given.window ?? 'day';
  return {
    ...{ budgetId: 'b', scope: 'all', window, timezone: 'UTC', origin: 'operator' },
    ...{ limit: { unit: 'nanoUsd', amount: 100 }, thresholds: defaultThresholds(window) },
    ...given,
  };
}

export const set = (
  given: Partial<Budget> = {},
  current: Reading | null = null,
): BudgetCommand => ({
  ...{ type: 'set', budget: budget(given), reason: '', current },
});
export const observe = (...readings: Reading[]): BudgetCommand => ({ type: 'observe', readings });

/** What the day of this moment holds. */
export function spent(amount: number, given: Partial<Reading> = {}): Reading {
  const start = given.windowStartMs ?? MIDNIGHT;
  const window = { windowStartMs: start, windowEndMs: start + DAY_MS };
  return { budgetId: 'b', ...window, spent: amount, estimated: 0, heldBy: amount, ...given };
}

/** A minute up to a moment, in seconds; what has ended is not eased by. */
export function minute(endS: number, amount: number, heldBy: number | null = null): Reading {
  const windowEndMs = MIDNIGHT + endS * 1_000;
  return { ...spent(amount), windowStartMs: windowEndMs - 60_000, windowEndMs, heldBy };
}

export class Specified {
  state: BudgetsState = budgetsDecider.initial;

  /** Each event by what it tells: `gate 80`, `trip 100`, `eased`, `eased to warn`, or its type. */
  when(...commands: readonly BudgetCommand[]): string[] {
    return commands.flatMap((command) => {
      const events = budgetsDecider.decide(command, this.state);
      this.state = events.reduce<BudgetsState>(
        (state, event) => budgetsDecider.evolve(state, event),
        this.state,
      );
      return events.map(textOf);
    });
  }
}

export function given(...commands: readonly BudgetCommand[]): Specified {
  const specified = new Specified();
  specified.when(...commands);
  return specified;
}

function textOf({ type, data }: BudgetEvent): string {
  if (type === 'BudgetThresholdCrossed') return `${data.step} ${data.percent}`;
  if (type === 'BudgetTripped') return `trip ${data.percent}`;
  if (type === 'BudgetEased') return data.to === undefined ? 'eased' : `eased to ${data.to}`;
  return type;
}

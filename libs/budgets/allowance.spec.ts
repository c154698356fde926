import { allowanceOf, type Allowance } from './allowance.js';
import type { Budget } from './budgets-state.js';
import type { BudgetView } from './budgets.js';
import { budget } from './budgets.spec-helper.js';
import { nothingSpent } from './running-sums.js';

/** Of a limit of 100. @param amount what its window holds; null = not known */
function view(given: Partial<Budget>, amount: number | null): BudgetView {
  const state = { ...budget(given), told: [], sinceMs: 0, tripped: null, held: null };
  const window = { startMs: 0, endMs: null };
  const spent = { window, spent: nothingSpent, estimatedNanoUsd: 0 };
  return { budget: state, figure: amount === null ? null : { ...spent, amount, heldBy: amount } };
}

function allowance(...views: readonly BudgetView[]): Allowance | undefined {
  return allowanceOf(views, new Set(['all', 'team:core']));
}

const none = { remainingNanoUsd: null, nanoUsdPerMinute: null };

describe('What budgets leave to a task', () => {
  test('is the least of all that it counts against', () => {
    const day = view({ scope: 'all' }, 40);
    const total = view({ scope: 'team:core', window: 'total' }, 75);
    expect(allowance(day, total)).toEqual({ ...none, remainingNanoUsd: 25 });
  });

  test('is nothing where one is spent, and never less', () => {
    expect(allowance(view({}, 130))).toEqual({ ...none, remainingNanoUsd: 0 });
  });

  test('is a pace where they slide: the least limit, whatever was spent and whether it is known or not', () => {
    const slow = view({ scope: 'team:core', window: 'minute' }, null);
    const fast = view({ window: 'minute', limit: { unit: 'nanoUsd', amount: 500 } }, 90);
    expect(allowance(fast, slow)).toEqual({ ...none, nanoUsdPerMinute: 100 });
  });

  test('is not known while it is not known of one of them what was spent', () => {
    expect(allowance(view({}, 40), view({ window: 'total' }, null))).toBeUndefined();
  });

  test('is no concern of budgets of others, or in tokens', () => {
    const others = view({ scope: 'team:web' }, null);
    const tokens = view({ limit: { unit: 'tokens', amount: 100 } }, 100);
    expect(allowance(others, tokens)).toEqual(none);
  });
});

import { limits } from '#kernel/limits.js';
import { isRefusal } from '#kernel/refusal.js';
import type { BudgetCommand } from './budgets.decider.js';
import {
  budget,
  DAY_MS,
  given,
  minute,
  MIDNIGHT,
  observe,
  set,
  spent,
} from './budgets.spec-helper.js';
import { defaultBudgets } from './default-budgets.js';

const raise = (amount: number, current = spent(0)): BudgetCommand => ({
  ...{ type: 'raise', budgetId: 'b', limit: { unit: 'nanoUsd', amount }, reason: 'more', current },
});
const reset = (current = spent(0)): BudgetCommand => ({
  ...{ type: 'reset', budgetId: 'b', reason: 'looked at it', current },
});
const remove: BudgetCommand = { type: 'remove', budgetId: 'b', reason: 'enough' };
const nextDay = { windowStartMs: MIDNIGHT + DAY_MS };

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return isRefusal(error) ? error.code : String(error);
  }
}

describe('A budget', () => {
  test('tells each of its steps once in a window, however often it is looked at', () => {
    const it = given(set());
    expect(it.when(...[49, 50, 60, 75, 75, 89, 90, 99].map((at) => observe(spent(at))))).toEqual([
      ...['warn 50', 'gate 75', 'pause 90'],
    ]);
    expect(it.when(observe(spent(100)), observe(spent(140)))).toEqual(['trip 100']);
  });

  test('tells of several steps that are crossed at once only the strongest', () => {
    const it = given(set());
    expect(it.when(observe(spent(92)), observe(spent(92)))).toEqual(['pause 92']);
    expect(given(set()).when(observe(spent(250)))).toEqual(['trip 250']);
  });

  test('tells them again in the next window, and has eased by then', () => {
    const it = given(set(), observe(spent(80)));
    expect(it.when(observe(spent(0, nextDay)))).toEqual(['eased']);
    expect(it.when(observe(spent(80, nextDay)), observe(spent(81, nextDay)))).toEqual(['gate 80']);
  });

  test('of a late window tells what it came to, and holds nothing for it', () => {
    const it = given(set());
    const yesterday = spent(80, { heldBy: null });
    expect(it.when(observe(yesterday, spent(3, nextDay)))).toEqual(['gate 80', 'eased']);
    expect(it.when(observe(yesterday, spent(4, nextDay)))).toEqual([]);
  });

  test('leaves out the steps that it has not', () => {
    const it = given(set({ thresholds: { warn: null, gate: null, pause: null } }));
    expect(it.when(observe(spent(99)), observe(spent(100)))).toEqual(['trip 100']);
  });

  test('that is a millionth of a dollar below its limit has not reached it', () => {
    const limit = { unit: 'nanoUsd', amount: limits.budgetLimitNanoUsdMax } as const;
    const it = given(set({ limit }));
    expect(it.when(observe(spent(limit.amount - 1)))).toEqual(['pause 99']);
    expect(it.when(observe(spent(limit.amount)))).toEqual(['trip 100']);
  });
});

describe('A trip', () => {
  test('holds through new windows, raised limits and whatever is spent, until it is reset', () => {
    const it = given(set(), observe(spent(100)));
    expect(it.when(observe(spent(0, nextDay)), raise(1_000), observe(spent(900)))).toEqual([
      'BudgetSet',
    ]);
    expect(it.state.budgets.get('b')?.tripped).toMatchObject({ spent: 100 });
    expect(it.when(reset(spent(900)), reset(spent(900)))).toEqual(['BudgetReset']);
    expect(it.state.budgets.get('b')?.tripped).toBeNull();
  });

  test('is not reset while the window still reaches the limit; the refusal says until when', () => {
    const it = given(set(), observe(spent(100)));
    expect(() => it.when(reset(spent(100)))).toThrow(
      'Raise it, or wait until 2026-11-21T00:00:00.000Z.',
    );
    expect(it.when(raise(200, spent(100)), reset(spent(100)))).toEqual([
      'BudgetSet',
      'BudgetReset',
    ]);
  });

  test('comes again in the same window when it was reset below the limit and that is reached again', () => {
    const it = given(set(), observe(spent(100)), reset(spent(80)));
    expect(it.when(observe(spent(85)), observe(spent(95)), observe(spent(100)))).toEqual([
      ...['pause 95', 'trip 100'],
    ]);
  });

  test('does not come again for a window that ended before it was reset', () => {
    const it = given(set(), observe(spent(120)), reset(spent(0, nextDay)));
    expect(it.when(observe(spent(130, { heldBy: null }), spent(1, nextDay)))).toEqual([]);
  });

  test('keeps the budget to its scope and window', () => {
    const it = given(set(), observe(spent(100)));
    expect(codeOf(() => it.when(set({ scope: 'team:core' })))).toBe('BUDGET_TRIPPED');
    expect(it.when(set({ limit: { unit: 'nanoUsd', amount: 300 } }, spent(100)))).toHaveLength(1);
    expect(it.state.budgets.get('b')?.tripped).not.toBeNull();
    expect(it.when(remove)).toEqual(['BudgetRemoved']);
  });

  test('is not undone by a clock that jumps, and no step is told twice', () => {
    const it = given(set(), observe(spent(80)));
    const jumped = [spent(0, nextDay), spent(80), spent(0, nextDay), spent(81)];
    expect(it.when(...jumped.map((reading) => observe(reading)))).toEqual(['eased']);
    it.when(observe(spent(100)));
    expect(it.when(observe(spent(0, nextDay)), observe(spent(110)))).toEqual([]);
    expect(it.state.budgets.get('b')?.tripped).not.toBeNull();
  });
});

describe('A raised limit', () => {
  test('tells those steps again that are above what is spent, and no other', () => {
    const it = given(set(), observe(spent(92)));
    expect(it.when(raise(160, spent(92)))).toEqual(['BudgetSet']);
    expect(it.when(observe(spent(92)), observe(spent(119)))).toEqual(['eased to warn']);
    expect(it.when(...[120, 144, 160].map((at) => observe(spent(at))))).toEqual([
      ...['gate 75', 'pause 90', 'trip 100'],
    ]);
  });

  test('lets a pause fall back to a gate, and that ease later', () => {
    const it = given(set(), observe(spent(92)), raise(110, spent(92)));
    expect(it.when(observe(spent(92)))).toEqual(['eased to gate']);
    expect(it.when(observe(spent(0, nextDay)))).toEqual(['eased']);
  });

  test.each([100, 99, 1])('is none at %d', (amount) => {
    expect(codeOf(() => given(set()).when(raise(amount)))).toBe('BUDGET_NOT_RAISED');
  });

  test('is in the same unit', () => {
    const limit = { unit: 'tokens', amount: 1_000 } as const;
    const wish: BudgetCommand = { ...raise(1), limit } as BudgetCommand;
    expect(codeOf(() => given(set()).when(wish))).toBe('BUDGET_NOT_RAISED');
  });
});

describe('A lowered limit', () => {
  test('trips at once where more is spent', () => {
    const it = given(set(), observe(spent(60)));
    const limit = { unit: 'nanoUsd', amount: 50 } as const;
    expect(it.when(set({ limit }, spent(60)), observe(spent(60)))).toEqual([
      'BudgetSet',
      'trip 120',
    ]);
  });
});

describe('A budget of 60 seconds', () => {
  const pace = set({ window: 'minute' });

  test('tells each step at most once in 60 seconds of the usage itself', () => {
    const it = given(pace);
    expect(it.when(observe(minute(100, 55)), observe(minute(120, 60), minute(90, 52)))).toEqual([
      'warn 55',
    ]);
    expect(it.when(observe(minute(159, 55)), observe(minute(160, 55)))).toEqual(['warn 55']);
  });

  test('tells a stronger step within them', () => {
    const it = given(pace, observe(minute(100, 55)));
    expect(it.when(observe(minute(101, 75)), observe(minute(102, 101)))).toEqual([
      ...['pause 75', 'trip 101'],
    ]);
  });

  test('eases by what held in the last 60 seconds, not by what holds now', () => {
    const it = given(pace, observe(minute(100, 75)));
    expect(it.when(observe(minute(130, 10, 75)))).toEqual([]);
    expect(it.when(observe(minute(161, 0, 30)))).toEqual(['eased']);
  });
});

describe('Setting a budget', () => {
  const limit = (amount: number, unit: 'nanoUsd' | 'tokens' = 'nanoUsd') => ({
    limit: { unit, amount },
  });

  test.each([
    ['a limit of nothing', limit(0), 'BUDGET_LIMIT_INVALID'],
    ['a negative limit', limit(-1), 'BUDGET_LIMIT_INVALID'],
    ['half a nano-dollar', limit(0.5), 'BUDGET_LIMIT_INVALID'],
    ['more than a million dollars', limit(1e15 + 1), 'BUDGET_LIMIT_INVALID'],
    ['more than ten million million tokens', limit(1e13 + 1, 'tokens'), 'BUDGET_LIMIT_INVALID'],
    ['a limit that is no number', limit(Number.NaN), 'BUDGET_LIMIT_INVALID'],
    ['an unknown time zone', { timezone: 'Mars/Base' }, 'TIME_ZONE_UNKNOWN'],
    [
      'steps out of order',
      { thresholds: { warn: 80, gate: 75, pause: 90 } },
      'BUDGET_THRESHOLDS_INVALID',
    ],
    [
      'a pause before the warning',
      { thresholds: { warn: 50, gate: null, pause: 50 } },
      'BUDGET_THRESHOLDS_INVALID',
    ],
  ])('refuses %s', (_, wrong, code) => {
    expect(codeOf(() => given().when(set(wrong)))).toBe(code);
  });

  test('takes the largest limits', () => {
    expect(
      given().when(set(limit(1e15)), set({ budgetId: 't', ...limit(1e13, 'tokens') })),
    ).toEqual([...['BudgetSet', 'BudgetSet']]);
  });

  test('to what it is already changes nothing', () => {
    expect(given(set()).when(set())).toEqual([]);
  });

  test('to another window begins it anew', () => {
    const it = given(set(), observe(spent(80)));
    expect(it.when(set({ window: 'week' }), observe(spent(80)))).toEqual(['BudgetSet', 'gate 80']);
  });

  test('takes a thousand, and no more', () => {
    const it = given();
    for (let index = 0; index < limits.budgetsMax; index += 1)
      it.when(set({ budgetId: `b${index}` }));
    expect(codeOf(() => it.when(set()))).toBe('TOO_MANY_BUDGETS');
    expect(it.when(set({ budgetId: 'b0', scope: 'team:core' }))).toEqual(['BudgetSet']);
  });

  test.each([raise(1_000), reset(), remove])(
    'refuses to $type one that is not there',
    (command) => {
      expect(codeOf(() => given().when(command))).toBe('BUDGET_NOT_FOUND');
    },
  );
});

describe('Budgets of one scope and of scopes that overlap', () => {
  test('count each by itself', () => {
    const it = given(set({ budgetId: 'a' }), set({ budgetId: 'c', scope: 'team:core' }));
    const readings = [spent(60, { budgetId: 'a' }), spent(100, { budgetId: 'c' })];
    expect(it.when(observe(...readings))).toEqual(['warn 60', 'trip 100']);
    expect(it.state.budgets.get('a')?.tripped).toBeNull();
  });
});

describe('The default budgets', () => {
  const begin: BudgetCommand = { type: 'begin', budgets: defaultBudgets('Europe/Berlin') };

  test('are given once: who removed them is not given them again', () => {
    const it = given();
    expect(it.when(begin, begin)).toEqual(['BudgetSet', 'BudgetSet']);
    it.when(...['pace', 'day'].map((budgetId) => ({ ...remove, budgetId })));
    expect(it.when(begin)).toEqual([]);
  });

  test('are a dollar a minute and 75 dollars a day, for all', () => {
    expect(defaultBudgets('Europe/Berlin')).toMatchObject([
      {
        ...{ budgetId: 'pace', scope: 'all', window: 'minute' },
        ...{ limit: { amount: 1e9 }, thresholds: { warn: 50, gate: null, pause: 70 } },
      },
      {
        ...{ budgetId: 'day', scope: 'all', window: 'day', timezone: 'Europe/Berlin' },
        ...{ limit: { amount: 75e9 }, thresholds: { warn: 50, gate: 75, pause: 90 } },
      },
    ]);
  });
});

test('A budget is what it was set to', () => {
  expect(given(set()).state.budgets.get('b')).toMatchObject(budget());
});

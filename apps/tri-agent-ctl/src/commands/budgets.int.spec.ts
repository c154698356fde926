import { harmful, hostile } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const path = '/api/v1/budgets';
const stub = stubbed();

const budget = (given: Record<string, unknown> = {}) => ({
  ...{ budgetId: 'day', scope: 'all', window: 'day', timezone: 'Europe/Berlin' },
  ...{ limitUsd: '75.000000000', limitTokens: null, origin: 'default' },
  thresholds: { warn: 50, gate: 75, pause: null },
  ...{ standing: 'warn', reason: 'Budget day: $41.25 of $75.00 a day (55 %)', percent: 55 },
  ...{
    spentUsd: '41.250000000',
    spentTokens: 12,
    unpricedRequests: 0,
    estimatedUsd: '0.000000000',
  },
  ...{ remainingUsd: '33.750000000', remainingTokens: null },
  ...{ windowStart: '2026-11-19T23:00:00.000Z', windowEnd: '2026-11-20T23:00:00.000Z' },
  ...given,
});
const changed = (given: Record<string, unknown> = {}) => ({
  ...budget(),
  ...{ changed: true, warnings: [] },
  ...given,
});

describe('budgets', () => {
  test('lists what each may spend, how far it has come and what stands', async () => {
    const tokens = { limitUsd: null, limitTokens: 2_000_000, spentTokens: 2_100_000 };
    stub.server.answers[path] = [
      budget({ unpricedRequests: 2 }),
      budget({
        budgetId: 'core',
        scope: 'team:core',
        window: 'month',
        standing: 'trip',
        ...tokens,
      }),
      budget({ budgetId: 'new', standing: 'unknown', spentUsd: null, percent: null }),
    ];
    const { exit, out } = await run(stub.env, ['budgets']);
    expect(exit).toBe(0);
    expect(out).toMatch(
      /day +all +\$75\.00\/day +\$41\.25\+\? +█+░+ +55% +warned +2026-11-20 23:00:00Z/,
    );
    expect(out).toMatch(/core +team:core +2\.00M\/month +2\.10M\+?\??.* TRIPPED: reset it/);
    expect(out).toMatch(/new .* – .* not known: nothing begins/);
    expect(out).toContain('without a known price come on top');
  });

  test('says how to make one where there is none', async () => {
    stub.server.answers[path] = [];
    const { out } = await run(stub.env, ['budgets', 'list']);
    expect(out).toContain('nothing limits what is spent');
  });

  test('shows one with its steps and why it stands as it does', async () => {
    stub.server.answers[`${path}/day`] = budget();
    const { out } = await run(stub.env, ['budgets', 'show', 'day']);
    expect(out).toMatch(/steps +warn 50 %, gate 75 %, trip 100 %\n/);
    expect(out).toMatch(/left +\$33\.75\n/);
    expect(out).toMatch(/because +Budget day: \$41\.25 of \$75\.00 a day \(55 %\)/);
  });

  test('prints nothing that a terminal would act upon', async () => {
    const evil = budget({ budgetId: hostile, scope: hostile, reason: hostile, standing: hostile });
    stub.server.answers[path] = [evil];
    stub.server.answers[`${path}/x`] = evil;
    for (const argv of [['list'], ['show', 'x']]) {
      const { out } = await run(stub.env, ['budgets', ...argv]);
      expect(out).not.toMatch(harmful);
    }
  });

  test('gives machines what the server answers', async () => {
    stub.server.answers[path] = [budget()];
    const { out } = await run(stub.env, ['budgets', '--json']);
    expect(JSON.parse(out)).toEqual({ items: [budget()], nextCursor: null });
  });

  test('says of one that is not there where to look', async () => {
    const refusal = { status: 404, code: 'BUDGET_NOT_FOUND', detail: 'No.' };
    stub.server.refusals[`${path}/no`] = refusal;
    const { exit, err } = await run(stub.env, ['budgets', 'show', 'no']);
    expect([exit, err]).toEqual([1, expect.stringContaining('There is no budget "no".')]);
  });
});

describe('budgets set', () => {
  test('sends what was said, and nothing of what was not', async () => {
    const warnings = ['Nothing of team:core was ever seen so far.'];
    stub.server.answers[`${path}/core`] = changed({ budgetId: 'core', warnings });
    const argv = ['--scope', 'team:core', '--per', 'week', '--limit-usd', '20.5', '--gate', 'none'];
    const { exit, out, err } = await run(stub.env, [
      'budgets',
      'set',
      'core',
      ...argv,
      '--warn',
      '40',
    ]);
    expect([exit, stub.server.posted]).toEqual([
      0,
      [
        {
          ...{ scope: 'team:core', window: 'week', limitUsd: '20.5' },
          thresholds: { warn: 40, gate: null },
        },
      ],
    ]);
    expect(stub.server.requests).toContain(`PUT ${path}/core`);
    expect(out).toContain('Budget core is set.');
    expect(err).toContain('was ever seen');
  });

  test.each([
    [['--limit-usd', '-1'], /US dollars/],
    [['--limit-usd', '1', '--limit-tokens', '5'], /cannot be used with/],
    [['--limit-tokens', '0'], /whole number from 1/],
    [['--warn', '100'], /1 to 99/],
    [['--per', 'year'], /minute, block, day/],
  ])('refuses %j before it asks anybody', async (argv, why) => {
    const { exit, err } = await run(stub.env, ['budgets', 'set', 'core', ...argv]);
    expect([exit, stub.server.requests]).toEqual([2, []]);
    expect(err).toMatch(why);
  });
});

describe('budgets raise, reset and remove', () => {
  test('send the reason with it', async () => {
    stub.server.answers[`${path}/day/raise`] = changed({ standing: 'trip' });
    stub.server.answers[`${path}/day/reset`] = changed({ changed: false });
    const reason = ['--reason', 'release day'];
    const raised = await run(stub.env, [
      'budgets',
      'raise',
      'day',
      '--limit-usd',
      '100',
      ...reason,
    ]);
    expect(raised.out).toContain('tri-agent-ctl budgets reset day --reason');
    const reset = await run(stub.env, ['budgets', 'reset', 'day', ...reason]);
    expect(reset.out).toContain('Budget day had not tripped.');
    const removed = await run(stub.env, ['budgets', 'remove', 'day', ...reason]);
    expect(removed.out).toBe('Budget day is removed.\n');
    expect(stub.server.posted).toEqual([
      { limitUsd: '100', reason: 'release day' },
      { reason: 'release day' },
    ]);
    expect(stub.server.requests.at(-1)).toBe(`DELETE ${path}/day?reason=release+day`);
  });

  test.each([
    ['raise', 'day', '--reason', 'r'],
    ['raise', 'day', '--limit-usd', '5'],
    ['reset', 'day'],
    ['remove', 'day'],
  ])('%s %s %s %s says what is missing', async (...argv) => {
    const { exit } = await run(stub.env, ['budgets', ...argv]);
    expect([exit, stub.server.requests]).toEqual([2, []]);
  });

  test('tell why the server refuses, and what to do', async () => {
    const detail = 'What is spent still reaches the limit of day. Raise it, or wait until noon.';
    stub.server.refusals[`${path}/day/reset`] = { status: 409, code: 'BUDGET_STILL_SPENT', detail };
    const { exit, err } = await run(stub.env, ['budgets', 'reset', 'day', '--reason', 'r']);
    expect([exit, err]).toEqual([1, expect.stringContaining(detail)]);
  });
});

describe('budgets history', () => {
  test('tells what happened, by whom and why', async () => {
    const none = { step: null, percent: null, spentUsd: null, spentTokens: null };
    const limit = { limitUsd: '75.000000000', limitTokens: null };
    const at = '2026-11-20T10:00:00.000Z';
    stub.server.answers[`${path}/day/history`] = [
      { at, type: 'BudgetReset', actor: 'operator:api', ...none, reason: hostile },
      {
        ...{ at, type: 'BudgetTripped', actor: 'budgets', step: 'trip', percent: 101 },
        ...{ ...limit, spentUsd: '75.800000000', spentTokens: null, reason: null },
      },
    ];
    const { out } = await run(stub.env, ['budgets', 'history', 'day']);
    expect(out).toMatch(/2026-11-20 10:00:00Z +tripped +trip, 101 % +\$75\.80 +\$75\.00 +budgets/);
    expect(out).toMatch(/reset +– +– +– +operator:api/);
    expect(out).not.toMatch(harmful);
  });
});

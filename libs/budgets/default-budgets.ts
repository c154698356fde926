import type { Budget } from './budgets-state.js';
import { defaultThresholds } from './steps.js';
import { limitText } from './words.js';

const NANOS_PER_DOLLAR = 1_000_000_000;

/**
 * What holds where nobody has said anything: for all agents together.
 *
 * @param timezone where a day begins at midnight
 */
export function defaultBudgets(timezone: string): readonly Budget[] {
  const all = { scope: 'all', timezone, origin: 'default' } as const;
  const dollars = (count: number) =>
    ({ unit: 'nanoUsd', amount: count * NANOS_PER_DOLLAR }) as const;
  return [
    {
      ...{ budgetId: 'pace', ...all, window: 'minute' },
      ...{ limit: dollars(1), thresholds: defaultThresholds('minute') },
    },
    {
      ...{ budgetId: 'day', ...all, window: 'day' },
      ...{ limit: dollars(75), thresholds: defaultThresholds('day') },
    },
  ];
}

/** What the first start prints. */
export function announcementOf(budgets: readonly Budget[]): string {
  const named = budgets.map((it) => `${limitText(it)} ("${it.budgetId}")`).join(' and ');
  return [
    `Budgets watch over all agents together: ${named}.`,
    'At the limit they trip: what runs is ended so that it can go on, and nothing begins until you reset them.',
    'Change one: npx tri-agent-ctl budgets set day --limit-usd 200   see all: npx tri-agent-ctl budgets',
  ].join('\n  ');
}

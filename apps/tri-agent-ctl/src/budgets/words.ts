import { formatCost, formatTokens, nothing } from '../render/numbers.js';
import type { Style } from '../render/paint.js';
import type { Budget } from './shapes.js';

/** Budgets as people read them. */

export const windows = ['minute', 'block', 'day', 'week', 'month', 'total'] as const;

const perWindow: Readonly<Record<string, string>> = {
  minute: '/min',
  block: '/5 h',
  day: '/day',
  week: '/week',
  month: '/month',
  total: ' in all',
};

interface Amounts {
  readonly usd: string | null | undefined;
  readonly tokens: number | null | undefined;
}

/** Of a limit in tokens the tokens, else the money. */
export function amountOf({ usd, tokens }: Amounts, unpricedRequests = 0): string {
  if (typeof usd === 'string') return formatCost(usd, unpricedRequests);
  return typeof tokens === 'number' ? formatTokens(tokens) : nothing;
}

/** `$75.00/day`. */
export function limitOf({ limitUsd, limitTokens, window }: Budget): string {
  const amount = amountOf({ usd: limitUsd, tokens: limitTokens });
  return `${amount}${perWindow[window] ?? ` per ${window}`}`;
}

export function spentOf(budget: Budget): string {
  const isMoney = typeof budget.limitUsd === 'string';
  const usd = isMoney ? budget.spentUsd : null;
  return amountOf(
    { usd, tokens: isMoney ? null : budget.spentTokens },
    budget.unpricedRequests ?? 0,
  );
}

export function standingStyle({ standing }: Budget): Style | undefined {
  if (standing === 'trip' || standing === 'pause') return 'red';
  if (standing === 'open') return 'green';
  return 'yellow';
}

const said: Readonly<Record<string, string>> = {
  open: 'open',
  warn: 'warned',
  gate: 'gated: nothing begins',
  pause: 'paused: nothing begins',
  trip: 'TRIPPED: reset it',
  unknown: 'not known: nothing begins',
};

export function standingOf({ standing }: Budget): string {
  return said[standing] ?? standing;
}

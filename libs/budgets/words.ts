import type { BudgetWindow } from '#eventstore/vocabulary/budgets.events.js';
import { formatUsd } from '#kernel/money.js';
import type { Budget, BudgetLimit } from './budgets-state.js';
import { percentOf } from './steps.js';

/** Budgets in sentences. */

const windows: Readonly<Record<BudgetWindow, string>> = {
  minute: 'a minute',
  block: 'five hours',
  day: 'a day',
  week: 'a week',
  month: 'a month',
  total: 'in all',
};

/** `$75.00`, `$0.0373`, `2000000 tokens`. */
function amountText(unit: BudgetLimit['unit'], amount: number): string {
  if (unit === 'tokens') return `${amount} tokens`;
  return `$${formatUsd(BigInt(amount)).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
}

/** `$75.00 a day`. */
export function limitText({ limit, window }: Pick<Budget, 'limit' | 'window'>): string {
  return `${amountText(limit.unit, limit.amount)} ${windows[window]}`;
}

/** `Budget day: $56.30 of $75.00 a day (75 %)`. */
export function spentText(budget: Budget, amount: number): string {
  const spent = amountText(budget.limit.unit, amount);
  return `Budget ${budget.budgetId}: ${spent} of ${limitText(budget)} (${percentOf(budget, amount)} %)`;
}

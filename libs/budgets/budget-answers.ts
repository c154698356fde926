import { formatUsd } from '#kernel/money.js';
import type { BudgetLimit } from './budgets-state.js';
import type { BudgetView } from './budgets.js';
import type { BudgetAnswer } from './budgets.shapes.js';
import type { Figure } from './spend.js';
import { standingOf } from './standings.js';
import { percentOf } from './steps.js';

/** Budgets as they are answered. */

export function usd(nanoUsd: number): string {
  return formatUsd(BigInt(nanoUsd));
}

export function describeLimit({ unit, amount }: BudgetLimit) {
  return unit === 'nanoUsd'
    ? { limitUsd: usd(amount), limitTokens: null }
    : { limitUsd: null, limitTokens: amount };
}

export function describeBudget({ budget, figure }: BudgetView): BudgetAnswer {
  const { budgetId, scope, window, timezone, limit, thresholds, origin, tripped } = budget;
  const { step, reason } = standingOf(budget, figure);
  const isUnknown = figure === null && tripped === null;
  return {
    ...{ budgetId, scope, window, timezone },
    ...describeLimit(limit),
    thresholds: { ...thresholds },
    origin,
    standing: isUnknown ? 'unknown' : step,
    reason,
    percent: figure && percentOf(budget, figure.amount),
    ...describeSpent(limit, figure),
  };
}

function describeSpent({ unit, amount }: BudgetLimit, figure: Figure | null) {
  const start = figure?.window.startMs ?? 0;
  const end = figure?.window.endMs ?? null;
  const left = figure && Math.max(0, amount - figure.amount);
  return {
    spentUsd: figure && usd(figure.spent.nanoUsd),
    spentTokens: figure && figure.spent.tokens,
    unpricedRequests: figure && figure.spent.unpricedRequests,
    estimatedUsd: figure && usd(figure.estimatedNanoUsd),
    remainingUsd: left !== null && unit === 'nanoUsd' ? usd(left) : null,
    remainingTokens: unit === 'tokens' ? left : null,
    // A window for ever has no beginning that would say anything.
    windowStart: start === 0 ? null : new Date(start).toISOString(),
    windowEnd: end === null ? null : new Date(end).toISOString(),
  };
}

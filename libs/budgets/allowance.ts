import type { BudgetView } from './budgets.js';

/** What budgets leave to those who count against some scopes. */
export interface Allowance {
  /** The least that the windows of now have left; null = no budget in money limits it. */
  readonly remainingNanoUsd: number | null;
  /** The least that may be spent within any 60 seconds; null = no budget in money limits it. */
  readonly nanoUsdPerMinute: number | null;
}

/** Undefined where it is not known of one of them what its window holds. */
export function allowanceOf(
  views: readonly BudgetView[],
  scopes: ReadonlySet<string>,
): Allowance | undefined {
  let remaining = Infinity;
  let pace = Infinity;
  for (const { budget, figure } of views) {
    const { limit, window, scope } = budget;
    if (!scopes.has(scope) || limit.unit !== 'nanoUsd') continue;
    if (window === 'minute') pace = Math.min(pace, limit.amount);
    else if (figure === null) return undefined;
    else remaining = Math.min(remaining, Math.max(0, limit.amount - figure.amount));
  }
  return { remainingNanoUsd: finite(remaining), nanoUsdPerMinute: finite(pace) };
}

function finite(amount: number): number | null {
  return amount === Infinity ? null : amount;
}

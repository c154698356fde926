import type { BudgetStep, BudgetWindow } from '#eventstore/vocabulary/budgets.events.js';
import type { Budget, Thresholds } from './budgets-state.js';

/** The steps of a budget: which one an amount has reached. Pure. */

const strengths: Readonly<Record<BudgetStep, number>> = { warn: 1, gate: 2, pause: 3, trip: 4 };

/** 0 where there is no step. */
export function strengthOf(step: BudgetStep | null): number {
  return step === null ? 0 : strengths[step];
}

/** The strongest step that this much has reached; null = none. */
export function stepOf(
  { limit, thresholds }: Pick<Budget, 'limit' | 'thresholds'>,
  spent: number,
): BudgetStep | null {
  const percents: readonly (readonly [BudgetStep, number | null])[] = [
    ['trip', 100],
    ['pause', thresholds.pause],
    ['gate', thresholds.gate],
    ['warn', thresholds.warn],
  ];
  // Times 100 the largest amounts are beyond what a number holds exactly.
  const [all, of] = [BigInt(spent) * 100n, BigInt(limit.amount)];
  const reached = percents.find(([, percent]) => percent !== null && all >= of * BigInt(percent));
  return reached?.[0] ?? null;
}

export function weakerOf(a: BudgetStep | null, b: BudgetStep | null): BudgetStep | null {
  return strengthOf(a) < strengthOf(b) ? a : b;
}

/** Whole percent of the limit, rounded down: 99.9 % is not yet all of it. */
export function percentOf({ limit }: Pick<Budget, 'limit'>, spent: number): number {
  return Number((BigInt(spent) * 100n) / BigInt(limit.amount));
}

export function defaultThresholds(window: BudgetWindow): Thresholds {
  return window === 'minute'
    ? { warn: 50, gate: null, pause: 70 }
    : { warn: 50, gate: 75, pause: 90 };
}

export function areInOrder({ warn, gate, pause }: Thresholds): boolean {
  const set = [warn, gate, pause].filter((it) => it !== null);
  return set.every((it, index) => index === 0 || it > (set[index - 1] ?? 0));
}

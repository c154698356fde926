import { limits } from '#kernel/limits.js';
import type { BudgetReading } from '#libs/dispatch/commands.js';
import type { RunningAttempt } from '#libs/dispatch/dispatch-state.js';
import type { Chance } from './dispatch-workers.js';

interface Cost {
  readonly atMs: number;
  readonly scopes: readonly string[];
  readonly costNanoUsd: number;
}

/** What attempts spend: each at most what it reserved, and telemetry tells of it later. */
export class LateSpend {
  /** What is so, and what is known of it. */
  private actual: readonly BudgetReading[];
  private seen: readonly BudgetReading[];
  private underWay: readonly Cost[] = [];

  constructor(budgets: readonly BudgetReading[]) {
    this.actual = budgets;
    this.seen = budgets;
  }

  get known(): readonly BudgetReading[] {
    return this.seen;
  }

  get true(): readonly BudgetReading[] {
    return this.actual;
  }

  spend({ scopes, reservedNanoUsd }: RunningAttempt, chance: Chance, nowMs: number): void {
    const atMs = nowMs + chance.upTo(limits.settlingMs);
    const cost = { atMs, scopes, costNanoUsd: chance.upTo(reservedNanoUsd + 1) };
    this.actual = withCost(this.actual, cost);
    this.underWay = [...this.underWay, cost];
  }

  receive(nowMs: number): void {
    const due = this.underWay.filter(({ atMs }) => atMs <= nowMs);
    this.underWay = this.underWay.filter(({ atMs }) => atMs > nowMs);
    this.seen = due.reduce(withCost, this.seen);
  }

  raise(limitNanoUsd: number): void {
    this.actual = this.actual.map((it) => ({ ...it, limitNanoUsd }));
    this.seen = this.seen.map((it) => ({ ...it, limitNanoUsd }));
  }
}

function withCost(budgets: readonly BudgetReading[], cost: Cost): readonly BudgetReading[] {
  return budgets.map((it) =>
    cost.scopes.includes(it.scope)
      ? { ...it, spentNanoUsd: it.spentNanoUsd + cost.costNanoUsd }
      : it,
  );
}

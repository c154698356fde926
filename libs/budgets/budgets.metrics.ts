import { Gauge, type Registry } from 'prom-client';
import { isRefusal } from '#kernel/refusal.js';
import type { Budgets, BudgetView } from './budgets.js';
import { strengthOf } from './steps.js';

/** What Prometheus is told of budgets, read when it asks. */
export function registerBudgetMetrics(registry: Registry, budgets: Budgets): void {
  const labelNames = ['budget'] as const;
  const seen = (): readonly BudgetView[] => {
    try {
      return budgets.look();
    } catch (error) {
      // Nobody knows yet: the other metrics are still worth having.
      if (isRefusal(error)) return [];
      throw error;
    }
  };
  new Gauge({
    name: 'tri_agent_budget_spent_ratio',
    help: 'What the window of a budget holds, by its limit; NaN while that is not known.',
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const { budget, figure } of seen()) {
        const ratio = figure === null ? Number.NaN : figure.amount / budget.limit.amount;
        this.set({ budget: budget.budgetId }, ratio);
      }
    },
  });
  new Gauge({
    name: 'tri_agent_budget_step',
    help: 'What stands: 0 nothing, 1 a warning, 2 its gate, 3 its pause, 4 it has tripped.',
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const { budgetId, step } of budgets.standings()) {
        this.set({ budget: budgetId }, step === 'open' ? 0 : strengthOf(step));
      }
    },
  });
}

import type { Context } from '#platform/context.js';
import { BudgetHistoryQueries } from './budget-history.queries.js';
import { BudgetsController, budgetsRoutes } from './budgets.controller.js';

/** What may be spent, and what happens when it is. The API needs providers of Budgets, ReadModels and Redactor. */
export const budgets: Context = {
  controllers: [BudgetsController],
  providers: [BudgetHistoryQueries],
  routes: budgetsRoutes,
};

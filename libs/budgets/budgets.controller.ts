import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { z } from 'zod';
import { isRefusal } from '#kernel/refusal.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import type { ApiRoute } from '#platform/openapi.js';
import type { ProblemCode } from '#platform/problem.js';
import { Redactor } from '#platform/redaction.js';
import { describeBudget } from './budget-answers.js';
import { BudgetHistoryQueries } from './budget-history.queries.js';
import { budgetWished, limitOf } from './budget-wishes.js';
import { budgetOf } from './budgets.decider.js';
import { Budgets } from './budgets.js';
import {
  budgetParams,
  budgetShape,
  budgetsPage,
  budgetsQuery,
  changedShape,
  historyPage,
  historyQuery,
  newBudgetParams,
  raiseBody,
  reasonBody,
  setBody,
  type BudgetAnswer,
  type BudgetsQuery,
  type ChangedAnswer,
  type HistoryQuery,
  type RaiseBody,
  type ReasonBody,
  type SetBody,
} from './budgets.shapes.js';

const operator = 'operator:api';
type Params = z.infer<typeof budgetParams>;
const cursorParts = z.tuple([z.string()]);

@Controller('api/v1/budgets')
export class BudgetsController {
  constructor(
    private readonly budgets: Budgets,
    private readonly history: BudgetHistoryQueries,
    private readonly redactor: Redactor,
  ) {}

  @Get()
  list(@Query({ schema: budgetsQuery }) { limit, cursor }: BudgetsQuery) {
    const [after] = cursor === undefined ? [''] : decodeCursor(cursor, cursorParts);
    const found = this.budgets.look().filter(({ budget }) => budget.budgetId > after);
    const page = found.slice(0, limit);
    const last = page.at(-1)?.budget.budgetId;
    const isMore = found.length > limit && last !== undefined;
    return { items: page.map(describeBudget), nextCursor: isMore ? encodeCursor([last]) : null };
  }

  @Get(':budgetId')
  show(@Param({ schema: budgetParams }) { budgetId }: Params): BudgetAnswer {
    budgetOf(this.budgets.state, budgetId);
    const view = this.budgets.look().find(({ budget }) => budget.budgetId === budgetId);
    if (view === undefined) throw new Error(`The budget ${budgetId} is nowhere to be seen.`);
    return describeBudget(view);
  }

  @Get(':budgetId/history')
  past(
    @Param({ schema: budgetParams }) { budgetId }: Params,
    @Query({ schema: historyQuery }) query: HistoryQuery,
  ) {
    return this.history.list(budgetId, query);
  }

  @Put(':budgetId')
  async set(
    @Param({ schema: newBudgetParams }) { budgetId }: Params,
    @Body({ schema: setBody }) body: SetBody,
  ): Promise<ChangedAnswer> {
    const before = this.budgets.state.budgets.get(budgetId);
    const budget = budgetWished(budgetId, body, before, this.budgets.timezone);
    const reason = this.redactor.value(body.reason);
    const { events } = await this.budgets.set(budget, reason, operator);
    const warnings = before?.scope === budget.scope ? [] : this.warningsOf(budget.scope);
    return { ...this.show({ budgetId }), changed: events.length > 0, warnings };
  }

  @Post(':budgetId/raise')
  @HttpCode(200)
  async raise(
    @Param({ schema: budgetParams }) { budgetId }: Params,
    @Body({ schema: raiseBody }) body: RaiseBody,
  ): Promise<ChangedAnswer> {
    const { limit: before } = budgetOf(this.budgets.state, budgetId);
    const reason = this.redactor.value(body.reason);
    const { events } = await this.budgets.raise(
      budgetId,
      limitOf(body) ?? before,
      reason,
      operator,
    );
    return { ...this.show({ budgetId }), changed: events.length > 0, warnings: [] };
  }

  @Post(':budgetId/reset')
  @HttpCode(200)
  async reset(
    @Param({ schema: budgetParams }) { budgetId }: Params,
    @Body({ schema: reasonBody }) body: ReasonBody,
  ): Promise<ChangedAnswer> {
    const reason = this.redactor.value(body.reason);
    const { events } = await this.budgets.reset(budgetId, reason, operator);
    return { ...this.show({ budgetId }), changed: events.length > 0, warnings: [] };
  }

  @Delete(':budgetId')
  @HttpCode(204)
  async remove(
    @Param({ schema: budgetParams }) { budgetId }: Params,
    @Query({ schema: reasonBody }) { reason }: ReasonBody,
  ): Promise<void> {
    await this.budgets.remove(budgetId, this.redactor.value(reason), operator);
  }

  /** A scope may be set before anybody works in it, and may be a slip of the pen. */
  private warningsOf(scope: string): string[] {
    try {
      if (this.budgets.hasSeen(scope)) return [];
      return [
        `Nothing of ${scope} was ever seen so far. Mind the spelling: what is called otherwise does not count.`,
      ];
    } catch (error) {
      if (isRefusal(error)) return [];
      throw error;
    }
  }
}

const json = (schema: z.ZodType) => ({ type: 'application/json', schema });
const one = '/api/v1/budgets/{budgetId}';
const writing: readonly ProblemCode[] = ['LOG_UNAVAILABLE', 'READ_MODEL_BUILDING'];

export const budgetsRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/budgets',
    summary: 'Budgets, what their windows hold, and what stands.',
    query: budgetsQuery,
    answer: json(budgetsPage),
    problems: ['BAD_CURSOR'],
  },
  {
    path: one,
    summary: 'One budget.',
    params: budgetParams,
    answer: json(budgetShape),
    problems: ['BUDGET_NOT_FOUND'],
  },
  {
    method: 'put',
    path: one,
    summary: 'Makes a budget, or changes it.',
    params: newBudgetParams,
    body: setBody,
    answer: json(changedShape),
    problems: [
      ...writing,
      'BUDGET_LIMIT_INVALID',
      'BUDGET_THRESHOLDS_INVALID',
      'BUDGET_TRIPPED',
      'TIME_ZONE_UNKNOWN',
      'TOO_MANY_BUDGETS',
    ],
  },
  {
    method: 'post',
    path: `${one}/raise`,
    summary: 'Raises the limit: steps that are above what is spent by then are told anew.',
    params: budgetParams,
    body: raiseBody,
    answer: json(changedShape),
    problems: [...writing, 'BUDGET_NOT_FOUND', 'BUDGET_NOT_RAISED', 'BUDGET_LIMIT_INVALID'],
  },
  {
    method: 'post',
    path: `${one}/reset`,
    summary: 'Ends a trip, once its window holds less than the limit.',
    params: budgetParams,
    body: reasonBody,
    answer: json(changedShape),
    problems: [...writing, 'BUDGET_NOT_FOUND', 'BUDGET_STILL_SPENT'],
  },
  {
    method: 'delete',
    path: one,
    summary: 'Removes a budget, and what it held.',
    params: budgetParams,
    query: reasonBody,
    status: 204,
    problems: [...writing, 'BUDGET_NOT_FOUND'],
  },
  {
    path: `${one}/history`,
    summary: 'What has happened to a budget, the newest first.',
    params: budgetParams,
    query: historyQuery,
    answer: json(historyPage),
    problems: ['BUDGET_NOT_FOUND', 'BAD_CURSOR', 'READ_MODEL_BUILDING'],
  },
];

import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { Refusal } from '#kernel/refusal.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import { ReadModels } from '#platform/read-models.js';
import type { BudgetEventType } from './budgets-state.js';
import { describeLimit, usd } from './budget-answers.js';
import { budgetHistoryProjection } from './budgets.projection.js';
import type { HistoryItem, HistoryQuery } from './budgets.shapes.js';

interface Row {
  readonly version: bigint;
  readonly type: BudgetEventType;
  readonly at: string;
  readonly actor: string;
  readonly data: string;
}

/** What any of these events may tell. */
type Told = Partial<DataOf<'BudgetSet'> & DataOf<'BudgetTripped'>> & {
  readonly step?: DataOf<'BudgetThresholdCrossed'>['step'];
};

const cursorParts = z.tuple([z.int().nonnegative()]);

@Injectable()
export class BudgetHistoryQueries {
  constructor(private readonly models: ReadModels) {}

  /**
   * What has happened to a budget, the newest first; to one that was removed, too.
   *
   * @throws {Refusal} `BUDGET_NOT_FOUND` when nothing ever has
   */
  list(budgetId: string, { limit, cursor }: HistoryQuery) {
    const [before] =
      cursor === undefined ? [Number.MAX_SAFE_INTEGER] : decodeCursor(cursor, cursorParts);
    const sql = `SELECT version, type, at, actor, data FROM budget_history
      WHERE budget_id = ? AND version < ? ORDER BY version DESC LIMIT ?`;
    const rows = this.models.read(budgetHistoryProjection, (prepare) =>
      prepare<[string, number, number], Row>(sql).all(budgetId, before, limit + 1),
    );
    if (rows.length === 0 && cursor === undefined) {
      throw new Refusal('BUDGET_NOT_FOUND', `There is no budget "${budgetId}".`);
    }
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(describe),
      nextCursor:
        rows.length > limit && last !== undefined ? encodeCursor([Number(last.version)]) : null,
    };
  }
}

function describe({ type, at, actor, data }: Row): HistoryItem {
  const told = JSON.parse(data) as Told;
  const { scope, limit, spent, estimated, percent, reason, windowStart, windowEnd } = told;
  const isMoney = limit?.unit === 'nanoUsd';
  return {
    ...{ at, type, actor, scope: scope ?? null },
    step: type === 'BudgetTripped' ? 'trip' : (told.step ?? null),
    percent: percent ?? null,
    ...(limit === undefined ? { limitUsd: null, limitTokens: null } : describeLimit(limit)),
    spentUsd: spent !== undefined && isMoney ? usd(spent) : null,
    spentTokens: spent !== undefined && !isMoney ? spent : null,
    estimatedUsd: estimated === undefined ? null : usd(estimated),
    ...{ windowStart: windowStart ?? null, windowEnd: windowEnd ?? null, reason: reason ?? null },
  };
}

import type { Database } from 'better-sqlite3';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Projection } from '#platform/projection.js';
import type { BudgetEventType } from './budgets-state.js';

/** What has happened to each budget, in the order of the stream. */
const schema = `
  CREATE TABLE budget_history (
    version INTEGER PRIMARY KEY,
    budget_id TEXT NOT NULL,
    type TEXT NOT NULL,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX budget_history_by_budget ON budget_history (budget_id, version);`;

const types = new Set<string>([
  'BudgetSet',
  'BudgetRemoved',
  'BudgetThresholdCrossed',
  'BudgetTripped',
  'BudgetEased',
  'BudgetReset',
] satisfies BudgetEventType[]);

function isOfBudget(
  event: RecordedDomainEvent,
): event is Extract<RecordedDomainEvent, { type: BudgetEventType }> {
  return types.has(event.type);
}

function prepare(db: Database): (event: RecordedDomainEvent) => void {
  const insert = db.prepare('INSERT INTO budget_history VALUES (?, ?, ?, ?, ?, ?)');
  return (event) => {
    if (!isOfBudget(event)) return;
    const { version, type, data, metadata } = event;
    const { occurredAt, actor } = metadata;
    insert.run(version, data.budgetId, type, occurredAt, actor, JSON.stringify(data));
  };
}

export const budgetHistoryProjection: Projection = {
  name: 'budget-history',
  version: 1,
  tables: ['budget_history'],
  schema,
  prepare,
};

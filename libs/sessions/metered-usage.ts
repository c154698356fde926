import type { Database } from 'better-sqlite3';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { noUsage, type UsageAmounts } from './usage-sums.js';

/** What several readings of one event can add up to: no more than one reading can be. */
const largest = Number.MAX_SAFE_INTEGER;

type Metered = DataOf<'UsageMetered'>;

/** The table in which a projection remembers how far each cumulative series has come. */
export function meteredSeriesSchema(table: string): string {
  return `CREATE TABLE ${table} (
    agent TEXT NOT NULL,
    session_id TEXT NOT NULL,
    series TEXT NOT NULL,
    since TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (agent, session_id, series, since)
  ) STRICT, WITHOUT ROWID;`;
}

/**
 * Turns readings into what they add. A delta adds itself. A cumulative reading adds what it exceeds
 * the highest one of its series since the same start: late ones add nothing, a reset is a new start.
 */
export function meteredAmounts(db: Database, table: string): (data: Metered) => UsageAmounts {
  const highest = db
    .prepare<string[], number>(
      `SELECT amount FROM ${table} WHERE agent = ? AND session_id = ? AND series = ? AND since = ?`,
    )
    .pluck();
  const remember = db.prepare<[string, string, string, string, number]>(
    `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET amount = excluded.amount`,
  );
  const increase = (data: Metered, reading: Metered['readings'][number]): number => {
    const { kind, since, amount } = reading;
    if (data.temporality === 'delta') return amount;
    const { provider, model, thread, subagentId, subagentType } = data;
    const series = JSON.stringify([provider, model, thread, subagentId, subagentType, kind]);
    const before = highest.get(data.agent, data.sessionId, series, since);
    if (before !== undefined && amount <= before) return 0;
    remember.run(data.agent, data.sessionId, series, since, amount);
    return amount - (before ?? 0);
  };
  return (data) => {
    const sums = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0, costNanoUsd: 0 };
    let priced = 0;
    for (const reading of data.readings) {
      sums[reading.kind] = Math.min(sums[reading.kind] + increase(data, reading), largest);
      if (reading.kind === 'costNanoUsd') priced = 1;
    }
    const { costNanoUsd: cost, ...tokens } = sums;
    return { ...noUsage, ...tokens, cost, priced };
  };
}

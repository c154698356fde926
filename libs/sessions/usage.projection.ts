import type { Database } from 'better-sqlite3';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Projection } from '#platform/projection.js';
import { occurredAtMs } from './event-time.js';
import { meteredAmounts, meteredSeriesSchema } from './metered-usage.js';
import {
  requestAmounts,
  sumColumns,
  sumValues,
  upsertSums,
  type UsageAmounts,
} from './usage-sums.js';

/**
 * Usage by minute (since 1970, UTC), session, model and source. Rows of source `metrics` count only
 * in sessions that have none of source `requests`: that is for the query to see, since telemetry of
 * both kinds arrives in any order.
 */
const schema = `
  CREATE TABLE usage_by_minute (
    minute INTEGER NOT NULL,
    agent TEXT NOT NULL,
    session_id TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('requests', 'metrics')),
    model TEXT NOT NULL,
    ${sumColumns()},
    UNIQUE (agent, session_id, source, minute, model)
  ) STRICT;
  CREATE INDEX usage_by_minute_by_time ON usage_by_minute (minute);
  ${meteredSeriesSchema('usage_metered_series')}`;

const MINUTE_MS = 60_000;

function prepare(db: Database): (event: RecordedDomainEvent) => void {
  const { columns, values, added } = upsertSums();
  const upsert = db.prepare(
    `INSERT INTO usage_by_minute (minute, agent, session_id, source, model, ${columns})
      VALUES (?, ?, ?, ?, ?, ${values})
      ON CONFLICT (agent, session_id, source, minute, model) DO UPDATE SET ${added}`,
  );
  const amountsOf = meteredAmounts(db, 'usage_metered_series');
  const add = (
    event: RecordedDomainEvent & { type: 'UsageRecorded' | 'UsageMetered' },
    source: 'requests' | 'metrics',
    amounts: UsageAmounts,
  ) => {
    const minute = Math.floor(occurredAtMs(event) / MINUTE_MS);
    const { agent, sessionId, model } = event.data;
    upsert.run(minute, agent, sessionId, source, model, ...sumValues(amounts));
  };
  return (event) => {
    if (event.type === 'UsageRecorded') add(event, 'requests', requestAmounts(event.data));
    else if (event.type === 'UsageMetered') add(event, 'metrics', amountsOf(event.data));
  };
}

export const usageProjection: Projection = {
  name: 'usage',
  version: 1,
  tables: ['usage_by_minute', 'usage_metered_series'],
  schema,
  prepare,
};

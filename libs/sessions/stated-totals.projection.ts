import type { Database } from 'better-sqlite3';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Projection } from '#platform/projection.js';
import { occurredAtMs } from './event-time.js';

/** What an agent's own file said last that its whole session has used. */
const schema = `
  CREATE TABLE stated_totals (
    agent TEXT NOT NULL,
    session_id TEXT NOT NULL,
    stated_at INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_creation_tokens INTEGER NOT NULL,
    cost_nano_usd INTEGER,
    PRIMARY KEY (agent, session_id)
  ) STRICT, WITHOUT ROWID;`;

function prepare(db: Database): (event: RecordedDomainEvent) => void {
  // Totals only grow, so of two that were stated at the same time the larger is the later one.
  const replace = db.prepare(
    `INSERT INTO stated_totals VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET stated_at = excluded.stated_at,
        input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
        cache_read_tokens = excluded.cache_read_tokens,
        cache_creation_tokens = excluded.cache_creation_tokens,
        cost_nano_usd = excluded.cost_nano_usd
      WHERE (excluded.stated_at, excluded.output_tokens) >= (stated_at, output_tokens)`,
  );
  return (event) => {
    if (event.type !== 'SessionTotalsStated') return;
    const { agent, sessionId, inputTokens, outputTokens, cacheReadTokens } = event.data;
    const { cacheCreationTokens, costNanoUsd } = event.data;
    const tokens = [inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens] as const;
    replace.run(agent, sessionId, occurredAtMs(event), ...tokens, costNanoUsd);
  };
}

export const statedTotalsProjection: Projection = {
  name: 'stated-totals',
  version: 1,
  tables: ['stated_totals'],
  schema,
  prepare,
};

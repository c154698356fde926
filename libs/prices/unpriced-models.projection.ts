import type { Database } from 'better-sqlite3';
import type { StatedRequest } from '#eventstore/vocabulary/usage.events.js';
import type { DataOf, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { STANDARD_TIER } from '#kernel/prices.js';
import type { Projection } from '#platform/projection.js';

/**
 * Models of which a request came in without a cost, by tier, with the most tokens of each kind that
 * one used: by these the price book is asked whether it knows a price by now. The notice of the log
 * (PriceMissing) is told once per model, and a tier may be missing where the model is not.
 */
const kinds = ['input', 'output', 'cache_read', 'cache_creation', 'cache_creation_1h'] as const;
const columns = kinds.map((kind) => `${kind}_tokens`);

const schema = `
  CREATE TABLE unpriced_models (
    id INTEGER PRIMARY KEY,
    agent TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    tier TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    last_occurred_at TEXT NOT NULL,
    ${columns.map((column) => `${column} INTEGER NOT NULL`).join(',\n    ')},
    UNIQUE (agent, provider, model, tier)
  ) STRICT;`;

type Usage = DataOf<'UsageRecorded'> | StatedRequest;

function prepare(db: Database): (event: RecordedDomainEvent) => void {
  const highest = columns.map((it) => `${it} = max(${it}, excluded.${it})`).join(', ');
  const known = db.prepare<string[]>(
    'SELECT 1 FROM unpriced_models WHERE agent = ? AND provider = ? AND model = ? AND tier = ?',
  );
  const count = db.prepare('SELECT count(*) FROM unpriced_models').pluck();
  const upsert = db.prepare(
    `INSERT INTO unpriced_models
       (agent, provider, model, tier, first_seen_at, last_seen_at, last_occurred_at, ${columns.join(', ')})
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (agent, provider, model, tier) DO UPDATE SET
       last_seen_at = excluded.last_seen_at, last_occurred_at = excluded.last_occurred_at, ${highest}`,
  );
  const note = (event: RecordedDomainEvent, agent: string, usage: Usage, occurredAt: string) => {
    if (usage.costNanoUsd !== null) return;
    const { provider, model, tier, ...used } = usage;
    const key = [agent, provider, model, tier ?? STANDARD_TIER];
    // Names may be hostile, and nobody reads a list of more.
    const isFull = Number(count.get()) >= limits.unpricedModelsMax;
    if (isFull && known.get(...key) === undefined) return;
    const { recordedAt } = event.metadata;
    upsert.run(
      ...key,
      recordedAt,
      recordedAt,
      occurredAt,
      used.inputTokens,
      used.outputTokens,
      used.cacheReadTokens,
      used.cacheCreationTokens,
      used.cacheCreation1hTokens ?? 0,
    );
  };
  return (event) => {
    if (event.type === 'UsageRecorded') {
      note(event, event.data.agent, event.data, event.metadata.occurredAt);
    } else if (event.type === 'UsageStated') {
      for (const it of event.data.requests) note(event, event.data.agent, it, it.occurredAt);
    }
  };
}

export const unpricedModelsProjection: Projection = {
  name: 'unpriced-models',
  version: 1,
  tables: ['unpriced_models'],
  schema,
  prepare,
};

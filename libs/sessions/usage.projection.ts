import { hash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { statedKeyOf } from '#eventstore/vocabulary/usage.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Apply, Projection } from '#platform/projection.js';
import { momentsOf, occurredAtMs } from './event-time.js';
import { meteredAmounts, meteredSeriesSchema } from './metered-usage.js';
import { ledgerSchema, UsageLedger } from './usage-ledger.js';
import { Sums, totalsSchema } from './usage-totals.js';

type Stated = RecordedDomainEvent & { readonly type: 'UsageStated' };

/** Requests, tokens and cost: each request once, whoever tells of it. */
function prepare(db: Database): Apply {
  const sums = new Sums(db);
  const ledger = new UsageLedger(db, sums);
  const amountsOf = meteredAmounts(db, 'usage_metered_series');
  const addStated = (event: Stated): void => {
    const { agent, sessionId, requests } = event.data;
    const atMs = momentsOf(event);
    const told = { agent, sessionId, durationMs: null, source: 'transcript' } as const;
    for (const stated of requests) {
      const usageId = hash('sha1', statedKeyOf(agent, stated));
      ledger.add(usageId, { ...stated, ...told }, atMs(stated.occurredAt));
    }
  };
  const apply = (event: RecordedDomainEvent): void => {
    switch (event.type) {
      case 'UsageRecorded':
        ledger.add(event.id, { ...event.data, source: 'telemetry' }, occurredAtMs(event));
        break;
      case 'UsageStated':
        addStated(event);
        break;
      case 'UsageRepriced':
        ledger.correct(event.data);
        break;
      case 'UsageMetered':
        sums.add(sums.keyOfMetrics(event.data), occurredAtMs(event), amountsOf(event.data));
        break;
      case 'RequestFailed':
        sums.addFailure(sums.keyOfRequest(event.data), occurredAtMs(event));
        break;
      default:
    }
  };
  const flush = (): void => {
    sums.flush();
  };
  return Object.assign(apply, { flush });
}

export const usageProjection: Projection = {
  name: 'usage',
  version: 3,
  tables: [
    'usage_statements',
    'usage_keys',
    'usage_by_minute',
    'usage_by_quarter',
    'usage_by_session',
    'usage_failures',
    'usage_metered_series',
  ],
  schema: `${totalsSchema} ${ledgerSchema} ${meteredSeriesSchema('usage_metered_series')}`,
  prepare,
};

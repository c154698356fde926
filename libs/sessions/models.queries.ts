import { Injectable } from '@nestjs/common';
import { dividedHalfToEven, formatUsd } from '#kernel/money.js';
import { ReadModels } from '#platform/read-models.js';
import type { ModelComparison, ModelsQuery } from './sessions.shapes.js';
import {
  boundsOf,
  entriesInRange,
  minutesInRange,
  ofRequests,
  ofWhom,
  requests,
  requestsInRange,
  withTheirKeys,
} from './usage-filter.js';
import { usageProjection } from './usage.projection.js';
import { describeUsage, groupedSums, noSums, safeSum, type UsageSums } from './usage-sums.js';
import { filterOf } from './usage.queries.js';

interface Name {
  readonly provider: string;
  readonly model: string;
}
type Used = Name &
  UsageSums & {
    readonly pricedRequests: bigint;
    readonly pricedCost: bigint;
    readonly pricedOutput: bigint;
  };
interface Timed extends Name {
  readonly p50: bigint;
  readonly p95: bigint;
}
interface Failed extends Name {
  readonly failures: bigint;
}

@Injectable()
export class ModelsQueries {
  constructor(private readonly models: ReadModels) {}

  /** What each model costs and how it performs, the most expensive first. */
  compare(query: ModelsQuery): { items: ModelComparison[] } {
    const filter = filterOf(query);
    const bind = boundsOf(filter);
    const [used, timed, failed] = this.models.read(usageProjection, (prepare) => [
      prepare<[object], Used>(usedOf(entriesInRange(filter))).all(bind),
      prepare<[object], Timed>(timedOf(`${requestsInRange} AND ${ofRequests(filter)}`)).all(bind),
      prepare<[object], Failed>(failedOf(`${minutesInRange} AND ${ofWhom(filter)}`)).all(bind),
    ]);
    const times = new Map(timed.map((it) => [nameOf(it), it]));
    const failures = new Map(failed.map((it) => [nameOf(it), it.failures]));
    const known = new Set(used.map(nameOf));
    return {
      items: [
        ...used.map((it) => describe(it, times.get(nameOf(it)), failures.get(nameOf(it)) ?? 0n)),
        ...failed.filter((it) => !known.has(nameOf(it))).map(describeFailing),
      ],
    };
  }
}

/** Only of requests can it be said what one cost: metrics do not tell how many there were. */
const ofPriced = (column: string) =>
  safeSum(`CASE WHEN requests = 1 AND priced = 1 THEN ${column} ELSE 0 END`);
const usedOf = (rows: string) => `
  SELECT key.provider, key.model, ${groupedSums}, ${ofPriced('requests')} AS pricedRequests,
    ${ofPriced('cost_nano_usd')} AS pricedCost, ${ofPriced('output_tokens')} AS pricedOutput
  FROM (${rows}) AS counted ${withTheirKeys}
  GROUP BY key.provider, key.model ORDER BY cost DESC, key.provider, key.model`;

/** The nearest rank: the smallest duration that at least so many percent of the requests keep to. */
const rank = (percent: number) =>
  `min(CASE WHEN place * 100 >= total * ${percent} THEN duration_ms END) AS p${percent}`;
const timedOf = (conditions: string) => `
  SELECT provider, model, ${rank(50)}, ${rank(95)} FROM (
    SELECT key.provider, key.model, counted.duration_ms,
      row_number() OVER (PARTITION BY key.provider, key.model ORDER BY counted.duration_ms) AS place,
      count(*) OVER (PARTITION BY key.provider, key.model) AS total
    FROM ${requests} WHERE counted.duration_ms IS NOT NULL AND ${conditions})
  GROUP BY provider, model`;

const failedOf = (conditions: string) => `
  SELECT key.provider, key.model, sum(counted.failures) AS failures
  FROM usage_failures AS counted ${withTheirKeys} WHERE ${conditions}
  GROUP BY key.provider, key.model ORDER BY key.provider, key.model`;

function nameOf({ provider, model }: Name): string {
  return JSON.stringify([provider, model]);
}

function describe(used: Used, timed: Timed | undefined, failures: bigint): ModelComparison {
  const { provider, model, requests: answered } = used;
  const { pricedCost, pricedRequests, pricedOutput } = used;
  const asked = answered + failures;
  return {
    provider,
    model,
    ...describeUsage(used),
    costPerRequestUsd: shareOf(pricedCost, pricedRequests),
    costPer1kOutputTokensUsd: shareOf(pricedCost * 1_000n, pricedOutput),
    latencyMs: timed === undefined ? null : { p50: Number(timed.p50), p95: Number(timed.p95) },
    failedRequests: Number(failures),
    errorRate: asked === 0n ? null : Number(failures) / Number(asked),
  };
}

function shareOf(nanoUsd: bigint, among: bigint): string | null {
  return among === 0n ? null : formatUsd(dividedHalfToEven(nanoUsd, among));
}

/** A model that never answered. */
function describeFailing({ provider, model, failures }: Failed): ModelComparison {
  const nothing = { ...noSums, provider, model, pricedRequests: 0n, pricedCost: 0n };
  return describe({ ...nothing, pricedOutput: 0n }, undefined, failures);
}

import { formatUsd } from '#kernel/money.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';

/**
 * The columns in which usage is summed, the same in every table that does. Sums are 64-bit; one that
 * would not fit stays at the largest number rather than stop the projection.
 */
const columns = {
  requests: 'requests',
  unpriced: 'unpriced_requests',
  priced: 'priced',
  input: 'input_tokens',
  output: 'output_tokens',
  cacheRead: 'cache_read_tokens',
  cacheCreation: 'cache_creation_tokens',
  reasoning: 'reasoning_tokens',
  reasoningTold: 'reasoning_told',
  cost: 'cost_nano_usd',
  computed: 'computed_nano_usd',
  compared: 'compared_requests',
  comparedReported: 'compared_reported_nano_usd',
  comparedComputed: 'compared_computed_nano_usd',
} as const;

type Column = keyof typeof columns;

/**
 * What one event adds. `priced` is how many of its parts had a price at all, `reasoningTold` how many
 * told their reasoning tokens; `computed` is the part of `cost` that no agent reported. `compared`
 * are requests whose cost is known both ways.
 */
export type UsageAmounts = Readonly<Record<Column, number>>;

/** A row of sums as a query reads it. */
export type UsageSums = Readonly<Record<Column, bigint>>;

const names = Object.keys(columns) as Column[];
const largest = '9223372036854775807';

export const noUsage: UsageAmounts = Object.freeze(
  Object.fromEntries(names.map((it) => [it, 0])) as Record<Column, number>,
);

export const noSums: UsageSums = Object.freeze(
  Object.fromEntries(names.map((it) => [it, 0n])) as Record<Column, bigint>,
);

/** Column definitions. */
export const sumColumns = names.map((it) => `${columns[it]} INTEGER NOT NULL DEFAULT 0`).join(', ');

/** For an upsert: the columns, a `?` for each, and the assignments that add what is inserted. */
export const summing = {
  columns: names.map((it) => columns[it]).join(', '),
  values: names.map(() => '?').join(', '),
  added: names
    .map((it) => `${columns[it]} = min(${columns[it]} + excluded.${columns[it]}, ${largest})`)
    .join(', '),
};

/**
 * What to bind for them: the amounts, or with `sign` -1 what takes them away, on top of `before`.
 * Undefined where a sum would leave the range in which numbers are exact.
 */
export function sumValues(
  amounts: UsageAmounts,
  sign: 1 | -1,
  before?: readonly number[],
): readonly number[] | undefined {
  const sums = names.map((it, index) => (before?.[index] ?? 0) + sign * amounts[it]);
  return sums.every(Number.isSafeInteger) ? sums : undefined;
}

/** The columns of one row as `UsageSums`; `alias` is its table. */
export function sumsOf(alias: string): string {
  return names.map((it) => `coalesce(${alias}.${columns[it]}, 0) AS ${it}`).join(', ');
}

/** SQLite's sum() fails where 64 bits overflow; its halves do not, and their sum stays at the largest. */
export function safeSum(column: string): string {
  return `coalesce(min(sum(${column} >> 32) * 4294967296 + sum(${column} & 4294967295), ${largest}), 0)`;
}

/** The columns of a group of rows as `UsageSums`. */
export const groupedSums = names.map((it) => `${safeSum(columns[it])} AS ${it}`).join(', ');

/** What several groups come to, as `groupedSums` of all their rows would. */
export function addSums(groups: readonly UsageSums[]): UsageSums {
  const sums = { ...noSums } as Record<Column, bigint>;
  for (const group of groups) {
    for (const name of names) {
      const sum = sums[name] + group[name];
      sums[name] = sum < BigInt(largest) ? sum : BigInt(largest);
    }
  }
  return sums;
}

/** What a request is counted as. */
export interface CountedRequest {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
  readonly reasoningTokens: number | null;
  readonly reportedNanoUsd: number | null;
  readonly computedNanoUsd: number | null;
}

export function requestAmounts(request: CountedRequest): UsageAmounts {
  const { reportedNanoUsd: reported, computedNanoUsd: computed, reasoningTokens } = request;
  const cost = reported ?? computed;
  const both = reported !== null && computed !== null;
  return {
    requests: 1,
    unpriced: cost === null ? 1 : 0,
    priced: cost === null ? 0 : 1,
    input: request.inputTokens,
    output: request.outputTokens,
    cacheRead: request.cacheReadTokens,
    cacheCreation: request.cacheCreationTokens,
    reasoning: reasoningTokens ?? 0,
    reasoningTold: reasoningTokens === null ? 0 : 1,
    cost: cost ?? 0,
    computed: reported === null ? (computed ?? 0) : 0,
    compared: both ? 1 : 0,
    comparedReported: both ? reported : 0,
    comparedComputed: both ? computed : 0,
  };
}

/** The same in SQL, of a row of `usage_statements`. */
export const statementAmounts = `
  1 AS requests,
  reported_nano_usd IS NULL AND computed_nano_usd IS NULL AS unpriced_requests,
  reported_nano_usd IS NOT NULL OR computed_nano_usd IS NOT NULL AS priced,
  input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens,
  coalesce(reasoning_tokens, 0) AS reasoning_tokens,
  reasoning_tokens IS NOT NULL AS reasoning_told,
  coalesce(reported_nano_usd, computed_nano_usd, 0) AS cost_nano_usd,
  CASE WHEN reported_nano_usd IS NULL THEN coalesce(computed_nano_usd, 0) ELSE 0 END
    AS computed_nano_usd,
  reported_nano_usd IS NOT NULL AND computed_nano_usd IS NOT NULL AS compared_requests,
  CASE WHEN computed_nano_usd IS NULL THEN 0 ELSE coalesce(reported_nano_usd, 0) END
    AS compared_reported_nano_usd,
  CASE WHEN reported_nano_usd IS NULL THEN 0 ELSE coalesce(computed_nano_usd, 0) END
    AS compared_computed_nano_usd`;

/** The part of an answer that tells usage. */
export function describeUsage(sums: UsageSums) {
  const tokens = {
    input: Number(sums.input),
    output: Number(sums.output),
    cacheRead: Number(sums.cacheRead),
    cacheCreation: Number(sums.cacheCreation),
    reasoning: sums.reasoningTold === 0n ? null : Number(sums.reasoning),
  };
  const used = sums.requests + sums.input + sums.output + sums.cacheRead + sums.cacheCreation > 0n;
  return {
    tokens,
    // Nothing used costs nothing; something used without any price known is unknown, not free.
    costUsd: used && sums.priced === 0n ? null : formatUsd(sums.cost),
    computedCostUsd: formatUsd(sums.computed),
    priceCheck: sums.compared === 0n ? null : describePriceCheck(sums),
    requests: Number(sums.requests),
    unpricedRequests: Number(sums.unpriced),
  };
}

function describePriceCheck({ compared, comparedReported, comparedComputed }: UsageSums) {
  return {
    requests: Number(compared),
    reportedUsd: formatUsd(comparedReported),
    computedUsd: formatUsd(comparedComputed),
    differenceUsd: formatUsd(comparedReported - comparedComputed),
  };
}

/** The cost that the agent itself reported; null = it reported none. */
export function reportedNanoUsd({
  costOrigin,
  costNanoUsd,
}: Pick<DataOf<'UsageRecorded'>, 'costOrigin' | 'costNanoUsd'>): number | null {
  return costOrigin === 'reported' ? costNanoUsd : null;
}

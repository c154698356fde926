import { formatUsd } from '#kernel/money.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';

/**
 * The columns in which usage is summed, the same in every table that does. Sums are 64-bit; one that
 * would not fit stays at the largest number rather than stop the projection.
 */
const counted = {
  requests: 'requests',
  unpriced: 'unpriced_requests',
  priced: 'priced',
  input: 'input_tokens',
  output: 'output_tokens',
  cacheRead: 'cache_read_tokens',
  cacheCreation: 'cache_creation_tokens',
  cost: 'cost_nano_usd',
} as const;

type Counted = keyof typeof counted;

/** What one event adds. `priced` is how many of its parts had a price at all. */
export type UsageAmounts = Readonly<Record<Counted, number>> & {
  /** Null where the agent does not say. */
  readonly reasoning: number | null;
};

/** A row of sums as a query reads it, by the names of `usageTotals`. */
export type UsageSums = Readonly<Record<Counted, bigint>> & { readonly reasoning: bigint | null };

const names = Object.keys(counted) as Counted[];
const largest = '9223372036854775807';

/** Column definitions; `prefix` tells several sets of sums in one table apart. */
export function sumColumns(prefix = ''): string {
  const columns = names.map((it) => `${prefix}${counted[it]} INTEGER NOT NULL DEFAULT 0`);
  return [...columns, `${prefix}reasoning_tokens INTEGER`].join(', ');
}

/** `[columns, values]` for an INSERT that binds `UsageAmounts` by name. */
export const insertedSums = [
  [...names.map((it) => counted[it]), 'reasoning_tokens'].join(', '),
  [...names.map((it) => `@${it}`), '@reasoning'].join(', '),
] as const;

/** Assignments for an UPDATE that binds `UsageAmounts` by name. Numbers are bound as REAL: hence the casts. */
export function addedSums(prefix = ''): string {
  const sums = names.map((it) => plus(prefix + counted[it], `CAST(@${it} AS INTEGER)`));
  const reasoning = `${prefix}reasoning_tokens`;
  const told = `min(coalesce(${reasoning}, 0) + CAST(@reasoning AS INTEGER), ${largest})`;
  const keep = `${reasoning} = CASE WHEN @reasoning IS NULL THEN ${reasoning} ELSE ${told} END`;
  return [...sums, keep].join(', ');
}

function plus(column: string, amount: string): string {
  return `${column} = min(${column} + ${amount}, ${largest})`;
}

/** The columns of one row as `UsageSums`. */
export function selectedSums(prefix = ''): string {
  const columns = names.map((it) => `${prefix}${counted[it]} AS ${it}`);
  return [...columns, `${prefix}reasoning_tokens AS reasoning`].join(', ');
}

/** The columns of a group of rows as `UsageSums`. */
export const groupedSums = [
  ...names.map((it) => `coalesce(sum(${counted[it]}), 0) AS ${it}`),
  'sum(reasoning_tokens) AS reasoning',
].join(', ');

export function requestAmounts(data: DataOf<'UsageRecorded'>): UsageAmounts {
  return {
    requests: 1,
    unpriced: data.costNanoUsd === null ? 1 : 0,
    priced: data.costNanoUsd === null ? 0 : 1,
    input: data.inputTokens,
    output: data.outputTokens,
    cacheRead: data.cacheReadTokens,
    cacheCreation: data.cacheCreationTokens,
    cost: data.costNanoUsd ?? 0,
    reasoning: data.reasoningTokens,
  };
}

/** The part of an answer that tells usage. */
export function describeUsage(sums: UsageSums) {
  const tokens = {
    input: Number(sums.input),
    output: Number(sums.output),
    cacheRead: Number(sums.cacheRead),
    cacheCreation: Number(sums.cacheCreation),
    reasoning: sums.reasoning === null ? null : Number(sums.reasoning),
  };
  const used = sums.requests + sums.input + sums.output + sums.cacheRead + sums.cacheCreation > 0n;
  return {
    tokens,
    // Nothing used costs nothing; something used without any price known is unknown, not free.
    costUsd: used && sums.priced === 0n ? null : formatUsd(sums.cost),
    requests: Number(sums.requests),
    unpricedRequests: Number(sums.unpriced),
  };
}

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

const columnsOf = (prefix: string) => [
  ...names.map((it) => prefix + counted[it]),
  `${prefix}reasoning_tokens`,
];

/** Column definitions; `prefix` tells several sets of sums in one table apart. */
export function sumColumns(prefix = ''): string {
  const columns = names.map((it) => `${prefix}${counted[it]} INTEGER NOT NULL DEFAULT 0`);
  return [...columns, `${prefix}reasoning_tokens INTEGER`].join(', ');
}

/** For an upsert: the columns, a `?` for each, and the assignments that add what is inserted. */
export function upsertSums(prefix = '') {
  const columns = columnsOf(prefix);
  const reasoning = columns.at(-1) ?? '';
  return {
    columns: columns.join(', '),
    values: columns.map(() => '?').join(', '),
    added: [
      ...columns.slice(0, -1).map((it) => `${it} = min(${it} + excluded.${it}, ${largest})`),
      `${reasoning} = CASE WHEN excluded.${reasoning} IS NULL THEN ${reasoning}
        ELSE min(coalesce(${reasoning}, 0) + excluded.${reasoning}, ${largest}) END`,
    ].join(', '),
  };
}

/** What to bind for them. By position: looking names up would take longer than the upsert itself. */
export function sumValues(amounts: UsageAmounts): (number | null)[] {
  const { requests, unpriced, priced, input, output, cacheRead, cacheCreation, cost } = amounts;
  return [
    requests,
    unpriced,
    priced,
    input,
    output,
    cacheRead,
    cacheCreation,
    cost,
    amounts.reasoning,
  ];
}

/** The columns of a session as `UsageSums`: those from requests, or where there are none from metrics. */
export const sumsOfSession = [
  ...names.map((it) => [it, counted[it]]),
  ['reasoning', 'reasoning_tokens'],
]
  .map(
    ([it, column]) => `CASE WHEN requests > 0 THEN ${column} ELSE metered_${column} END AS ${it}`,
  )
  .join(', ');

/** SQLite's sum() fails where 64 bits overflow; its halves do not, and their sum stays at the largest. */
const summed = (column: string) =>
  `min(sum(${column} >> 32) * 4294967296 + sum(${column} & 4294967295), ${largest})`;

/** The columns of a group of rows as `UsageSums`. */
export const groupedSums = [
  ...names.map((it) => `coalesce(${summed(counted[it])}, 0) AS ${it}`),
  `${summed('reasoning_tokens')} AS reasoning`,
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

import type { UsageSums } from '../shapes.js';
import { formatCount, formatNanoUsd, parseUsd } from './numbers.js';

export type Cost = Pick<
  UsageSums,
  'costUsd' | 'computedCostUsd' | 'priceCheck' | 'unpricedRequests'
>;

/** What the marks beside the costs of a table mean, a line for each that occurs. */
export function costNotes(rows: readonly Cost[]): string[] {
  const computed = sumOf(rows, (row) => row.computedCostUsd);
  const all = sumOf(rows, (row) => row.costUsd);
  const unpriced = rows.reduce((sum, row) => sum + row.unpricedRequests, 0);
  const rest = computed === all ? '' : '; the agents reported the rest';
  const check = priceCheckLine(rows);
  return [
    ...(computed > 0n
      ? [`* : of which ${formatNanoUsd(computed)} computed from the price book${rest}.`]
      : []),
    ...(unpriced > 0
      ? [`+? : ${formatCount(unpriced)} requests have no known price and are not in the cost.`]
      : []),
    ...(check === undefined ? [] : [`Price check: ${check}.`]),
  ];
}

/** How what the agents reported differs from what the price book says; undefined where it does not. */
export function priceCheckLine(rows: readonly Pick<Cost, 'priceCheck'>[]): string | undefined {
  const checks = rows.flatMap(({ priceCheck }) => (priceCheck ? [priceCheck] : []));
  const difference = sumOf(checks, (it) => it.differenceUsd);
  if (difference === 0n) return undefined;
  const reported = formatNanoUsd(sumOf(checks, (it) => it.reportedUsd));
  const computed = formatNanoUsd(sumOf(checks, (it) => it.computedUsd));
  const requests = formatCount(checks.reduce((sum, it) => sum + it.requests, 0));
  return `of ${requests} requests the agents report ${reported} and the price book computes ${computed}, a difference of ${formatNanoUsd(difference)}`;
}

function sumOf<Row>(rows: readonly Row[], usd: (row: Row) => string | null | undefined): bigint {
  return rows.reduce((sum, row) => sum + (parseUsd(usd(row) ?? '') ?? 0n), 0n);
}

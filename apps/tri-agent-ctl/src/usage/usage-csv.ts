import { csvOf, type CsvCell } from '../render/csv.js';
import { clean } from '#platform/harmless-text.js';
import type { ComparedModel, Usage, UsageRow, UsageSums } from '../shapes.js';
import { isTime, type Cut, type NameCut } from './cuts.js';

/** One row a group, or a part of a group where there is a breakdown; without the total, their sum. */
export function usageCsv(by: Cut, breakdown: NameCut | undefined, { items }: Usage): string {
  const withAgent = by === 'session' && breakdown !== 'agent';
  const head = [
    ...(isTime(by) ? [by, 'startsAt', 'endsAt'] : [by]),
    ...(withAgent ? ['agent'] : []),
    ...(breakdown === undefined ? [] : [breakdown]),
    ...sumHeads,
  ];
  const groupCells = ({ key, label, endsAt, agent }: UsageRow): CsvCell[] => [
    ...(isTime(by) ? [clean(label ?? key), clean(key), clean(endsAt ?? '')] : [clean(key)]),
    ...(withAgent ? [clean(agent ?? '')] : []),
  ];
  const rows = items.flatMap((row): CsvCell[][] =>
    breakdown === undefined
      ? [[...groupCells(row), ...sumCells(row)]]
      : (row.parts ?? []).map((part) => [...groupCells(row), clean(part.key), ...sumCells(part)]),
  );
  return csvOf(head, rows);
}

export function modelsCsv(items: readonly ComparedModel[]): string {
  const head = [
    ...['model', 'provider', ...sumHeads, 'costPerRequestUsd', 'costPer1kOutputTokensUsd'],
    ...['latencyP50Ms', 'latencyP95Ms', 'failedRequests', 'errorRate'],
  ];
  const rows = items.map((it): CsvCell[] => [
    ...[clean(it.model), clean(it.provider), ...sumCells(it)],
    ...[money(it.costPerRequestUsd), money(it.costPer1kOutputTokensUsd)],
    ...[it.latencyMs?.p50 ?? null, it.latencyMs?.p95 ?? null, it.failedRequests, it.errorRate],
  ]);
  return csvOf(head, rows);
}

const sumHeads = [
  ...['requests', 'inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheCreationTokens'],
  ...['reasoningTokens', 'costUsd', 'computedCostUsd', 'unpricedRequests'],
];

function sumCells({ requests, tokens, ...cost }: UsageSums): CsvCell[] {
  const { input, output, cacheRead, cacheCreation, reasoning } = tokens;
  return [
    ...[requests, input, output, cacheRead, cacheCreation, reasoning ?? null],
    ...[money(cost.costUsd), money(cost.computedCostUsd), cost.unpricedRequests],
  ];
}

/** An unknown cost is an empty cell, never nought. */
function money(usd: string | null | undefined): CsvCell {
  return typeof usd === 'string' ? clean(usd) : null;
}

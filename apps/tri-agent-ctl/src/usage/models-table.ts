import type { Output } from '../output.js';
import { costNotes } from '../render/cost-notes.js';
import { formatCost, formatCount, formatTokens, nothing } from '../render/numbers.js';
import { tableLines, type Column } from '../render/table.js';
import type { ComparedModel } from '../shapes.js';

/** Models side by side: what a request and its answer cost, how long it takes, how often it fails. */
export function modelsLines(items: readonly ComparedModel[], output: Output): string[] {
  const width = output.io.size?.().columns;
  return [...tableLines(columns, items, output.paint, width), ...costNotes(items)];
}

const columns: Column<ComparedModel>[] = [
  { head: 'MODEL', cell: ({ model }) => model },
  { head: 'PROVIDER', cell: ({ provider }) => provider, dispensable: 3 },
  { head: 'REQUESTS', cell: ({ requests }) => formatCount(requests), align: 'right' },
  {
    ...{ head: 'OUTPUT', align: 'right', dispensable: 2 },
    cell: ({ tokens }) => formatTokens(tokens.output),
  },
  {
    ...{ head: 'COST', align: 'right' },
    cell: (it) => formatCost(it.costUsd, it.unpricedRequests, it.computedCostUsd),
  },
  {
    ...{ head: '$/REQUEST', align: 'right' },
    cell: ({ costPerRequestUsd }) => formatCost(costPerRequestUsd),
  },
  {
    ...{ head: '$/1K OUTPUT', align: 'right' },
    cell: ({ costPer1kOutputTokensUsd }) => formatCost(costPer1kOutputTokensUsd),
  },
  { head: 'P50', cell: ({ latencyMs }) => formatLatency(latencyMs?.p50), align: 'right' },
  { head: 'P95', cell: ({ latencyMs }) => formatLatency(latencyMs?.p95), align: 'right' },
  {
    ...{ head: 'ERRORS', align: 'right', dispensable: 1 },
    cell: ({ errorRate }) => (errorRate === null ? nothing : `${(errorRate * 100).toFixed(1)}%`),
  },
];

/** `850 ms`, `1.2 s`. */
function formatLatency(ms: number | undefined): string {
  if (ms === undefined) return nothing;
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

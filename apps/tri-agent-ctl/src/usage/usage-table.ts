import type { Output } from '../output.js';
import { costNotes } from '../render/cost-notes.js';
import { formatCost, formatCount, formatTokens, nothing } from '../render/numbers.js';
import { tableLines, type Column } from '../render/table.js';
import { formatDuration } from '../render/times.js';
import type { Usage, UsageRow, UsageSums } from '../shapes.js';
import { isTime, type Cut } from './cuts.js';

interface Line extends UsageSums {
  readonly kind: 'group' | 'part' | 'total';
  readonly title: string;
  readonly agent?: string | null | undefined;
}

/** The usage as a table, its parts below each group, its total and what is to say about the costs. */
export function usageLines(by: Cut, { items, total }: Usage, output: Output): string[] {
  const now = output.io.now();
  const lines = items.flatMap((row): Line[] => [
    { ...row, kind: 'group', title: titleOf(by, row, now) },
    ...(row.parts ?? []).map((part): Line => ({
      ...part,
      kind: 'part',
      title: `└ ${part.key || unnamed}`,
    })),
  ]);
  const all: Line[] = [...lines, { ...total, kind: 'total', title: 'total' }];
  const width = output.io.size?.().columns;
  return [...tableLines(columnsFor(by), all, output.paint, width), ...costNotes([total])];
}

const unnamed = '(not told)';

function titleOf(by: Cut, { key, label, endsAt }: UsageRow, now: Date): string {
  if (!isTime(by)) return key || unnamed;
  const left = Date.parse(endsAt ?? '') - now.getTime();
  const start = label ?? key;
  return by === 'block' && left > 0 ? `${start} (${formatDuration(left)} left)` : start;
}

function columnsFor(by: Cut): Column<Line>[] {
  const style = ({ kind }: Line) =>
    kind === 'total' ? 'bold' : kind === 'part' ? 'dim' : undefined;
  const number = (
    head: string,
    cell: (row: Line) => string,
    dispensable?: number,
  ): Column<Line> => ({
    ...{ head, cell, style, align: 'right' },
    ...(dispensable === undefined ? {} : { dispensable }),
  });
  const agent: Column<Line> = {
    ...{ head: 'AGENT', style, dispensable: 1 },
    cell: (row) => row.agent ?? (row.kind === 'group' ? nothing : ''),
  };
  return [
    { head: by.toUpperCase(), cell: ({ title }) => title, style },
    ...(by === 'session' ? [agent] : []),
    number('REQUESTS', ({ requests }) => formatCount(requests)),
    number('INPUT', ({ tokens }) => formatTokens(tokens.input), 2),
    number('OUTPUT', ({ tokens }) => formatTokens(tokens.output), 2),
    number('CACHE READ', ({ tokens }) => formatTokens(tokens.cacheRead), 3),
    number('CACHE CREATION', ({ tokens }) => formatTokens(tokens.cacheCreation), 4),
    number('COST', (row) => formatCost(row.costUsd, row.unpricedRequests, row.computedCostUsd)),
  ];
}

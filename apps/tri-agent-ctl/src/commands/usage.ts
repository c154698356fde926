import type { Client } from '../client.js';
import type { Output } from '../output.js';
import { formatCost, formatCount, formatTokens } from '../render/numbers.js';
import { tableLines, type Column } from '../render/table.js';
import { formatTime, parseMoment } from '../render/times.js';
import * as shapes from '../shapes.js';

/** How far back each cut looks when nobody says. */
const defaultSince = {
  minute: '1h',
  hour: '24h',
  day: '30d',
  model: '30d',
  agent: '30d',
  session: '24h',
} as const;

export type UsageCut = keyof typeof defaultSince;
export const usageCuts = Object.keys(defaultSince) as UsageCut[];

export interface UsageWish {
  readonly by: UsageCut;
  readonly since?: Date;
  readonly until?: Date;
}

type Row = shapes.UsageRow;

export async function showUsage(client: Client, output: Output, wish: UsageWish): Promise<void> {
  const { by, until } = wish;
  const since = wish.since ?? parseMoment(defaultSince[by], output.io.now());
  const usage = await client.get('/api/v1/usage', shapes.usage, {
    by,
    since: since?.toISOString(),
    until: until?.toISOString(),
  });
  if (output.json) {
    output.document(usage);
    return;
  }
  const from = formatTime(since?.toISOString());
  const to = until === undefined ? '' : ` until ${formatTime(until.toISOString())}`;
  const total: Row = { ...usage.total, key: 'total' };
  output.lines(
    output.paint('dim', `Usage by ${by} since ${from}${to}`),
    ...tableLines(columnsFor(by, total), [...usage.items, total], output.paint),
  );
  if (usage.total.unpricedRequests > 0) {
    const count = formatCount(usage.total.unpricedRequests);
    output.note(`+? : ${count} requests have no known price and are not in the cost.`);
  }
}

function columnsFor(by: UsageCut, total: Row): Column<Row>[] {
  const timed = by === 'minute' || by === 'hour' || by === 'day';
  const number = (head: string, cell: (row: Row) => string): Column<Row> => ({
    head,
    cell,
    align: 'right',
    style: (row) => (row === total ? 'bold' : undefined),
  });
  return [
    {
      head: by.toUpperCase(),
      cell: (row) => (timed && row !== total ? formatBucket(by, row.key) : row.key),
      style: (row) => (row === total ? 'bold' : undefined),
    },
    number('REQUESTS', ({ requests }) => formatCount(requests)),
    number('INPUT', ({ tokens }) => formatTokens(tokens.input)),
    number('OUTPUT', ({ tokens }) => formatTokens(tokens.output)),
    number('CACHE READ', ({ tokens }) => formatTokens(tokens.cacheRead)),
    number('CACHE CREATION', ({ tokens }) => formatTokens(tokens.cacheCreation)),
    number('COST', ({ costUsd, unpricedRequests }) => formatCost(costUsd, unpricedRequests)),
  ];
}

/** A bucket's start, as exact as its length. A bucket that is no time is shown as it is. */
function formatBucket(by: UsageCut, bucket: string): string {
  if (Number.isNaN(Date.parse(bucket))) return bucket;
  const time = formatTime(bucket);
  return by === 'day' ? time.slice(0, 10) : `${time.slice(0, 16)}Z`;
}

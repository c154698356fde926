import type { Asker } from '../client.js';
import * as shapes from '../dispatch/shapes.js';
import { formatWait } from '../dispatch/waits.js';
import type { Output } from '../output.js';
import { formatCount, nothing } from '../render/numbers.js';
import { pairLines, tableLines, type Column } from '../render/table.js';
import { formatAge, formatDuration } from '../render/times.js';

export async function showQueue(client: Asker, output: Output): Promise<void> {
  const queue = await client.get('/api/v1/queue', shapes.queue);
  if (output.json) {
    output.document(queue);
    return;
  }
  const now = output.io.now();
  output.lines(...pairLines(pairsOf(queue), output.paint));
  const table = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void => {
    if (rows.length === 0) return;
    output.lines('', ...tableLines(columns, rows, output.paint, output.io.size?.().columns));
  };
  table(shardColumns, queue.shards);
  table(closedColumns(now), queue.closed);
  table(coolDownColumns(now), queue.coolingDown);
  table(limitColumns, queue.wipLimits);
}

function pairsOf(queue: shapes.Queue): [string, string][] {
  const { waiting, ready, delayed, running, paused, open, parked, windowMs, closed } = queue;
  const pairs: [string, string][] = [
    ['open', formatCount(open)],
    ['waiting', `${formatCount(waiting)} for tasks that they depend on`],
    ['ready', formatCount(ready)],
    ['delayed', `${formatCount(delayed)} after a failure`],
    ['running', formatCount(running)],
    ['paused', formatCount(paused ?? 0)],
    ['dead letters', formatCount(parked)],
  ];
  if (closed.some(({ scope }) => scope === 'all')) {
    pairs.push(['claims', 'none: the whole queue is closed']);
  }
  if (typeof windowMs === 'number')
    pairs.push(['figures of', `the last ${formatDuration(windowMs)}`]);
  return pairs;
}

/** What queueing theory (M/M/c) expects, beside what was seen. */
const shardColumns: readonly Column<shapes.ShardFigures>[] = [
  { head: 'SHARD', cell: ({ shard }) => shard },
  { head: 'λ/H', cell: ({ arrivalsPerHour }) => figure(arrivalsPerHour), align: 'right' },
  { head: 'μ/H', cell: ({ servedPerHourPerSlot }) => figure(servedPerHourPerSlot), align: 'right' },
  { head: 'C', cell: ({ slots }) => formatCount(slots), align: 'right' },
  {
    head: 'ρ',
    cell: ({ utilisation }) => figure(utilisation),
    style: ({ utilisation }) => (isOverloaded(utilisation) ? 'red' : undefined),
    align: 'right',
  },
  {
    head: 'WQ',
    cell: ({ expectedWaitMs, utilisation }) =>
      isOverloaded(utilisation) ? 'no end' : formatWait(expectedWaitMs),
    align: 'right',
  },
  {
    head: 'WAITED',
    cell: ({ observedWaitMs }) => formatWait(observedWaitMs?.mean),
    align: 'right',
  },
  { head: '95%', cell: ({ observedWaitMs }) => formatWait(observedWaitMs?.p95), align: 'right' },
  {
    head: 'LONGEST',
    cell: ({ observedWaitMs }) => formatWait(observedWaitMs?.max),
    align: 'right',
  },
];

function isOverloaded(utilisation: number | null): boolean {
  return utilisation !== null && utilisation >= 1;
}

function figure(value: number | null): string {
  return value === null ? nothing : value.toFixed(2);
}

function closedColumns(now: Date): Column<shapes.ClosedScope>[] {
  return [
    { head: 'CLOSED', cell: ({ scope }) => scope },
    { head: 'HOW', cell: ({ mode }) => mode, style: () => 'yellow' },
    { head: 'FOR', cell: ({ since }) => formatAge(since, now), align: 'right' },
    { head: 'REASON', cell: ({ reason }) => reason || nothing },
  ];
}

function coolDownColumns(now: Date): Column<shapes.CoolDown>[] {
  return [
    { head: 'COOLING DOWN', cell: ({ provider }) => provider },
    { head: 'ACCOUNT', cell: ({ account }) => account },
    { head: 'MODEL', cell: ({ model }) => model ?? 'all' },
    { head: 'STATE', cell: ({ state }) => state, style: () => 'yellow' },
    { head: 'REFUSALS', cell: ({ level }) => String(level ?? nothing), align: 'right' },
    { head: 'LEFT', cell: ({ until }) => timeLeft(until, now), align: 'right' },
  ];
}

function timeLeft(until: string, now: Date): string {
  const at = Date.parse(until);
  return Number.isNaN(at) ? nothing : formatDuration(at - now.getTime());
}

const limitColumns: readonly Column<shapes.WipLimit>[] = [
  { head: 'LIMITED', cell: ({ scope }) => scope },
  { head: 'RUNNING', cell: ({ running }) => formatCount(running), align: 'right' },
  {
    head: 'LIMIT',
    cell: ({ limit }) => formatCount(limit),
    style: ({ running, limit }) => (running >= limit ? 'yellow' : undefined),
    align: 'right',
  },
];

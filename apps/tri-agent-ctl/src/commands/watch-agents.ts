import type { Asker } from '../client.js';
import type { Output } from '../output.js';
import { formatCost, formatCount, nothing } from '../render/numbers.js';
import { tableLines, type Column } from '../render/table.js';
import { formatAge, formatDuration } from '../render/times.js';
import * as shapes from '../watch-shapes.js';

/** What is noticed of agents that they do not tell themselves. */
export async function watchAgents(client: Asker, output: Output): Promise<void> {
  const watch = await client.get('/api/v1/watch', shapes.watch);
  if (output.json) {
    output.document(watch);
    return;
  }
  output.lines(...summaryOf(watch));
  const now = output.io.now();
  const table = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void => {
    if (rows.length === 0) return;
    output.lines('', ...tableLines(columns, rows, output.paint, output.io.size?.().columns));
  };
  table(silentColumns, watch.silent);
  table(loopColumns(now), watch.loops);
}

function summaryOf({ silentAfterMs, silentSessions, estimatedUsd, silent, loops }: shapes.Watch) {
  const after = `nothing heard for ${formatDuration(silentAfterMs)} while a model works`;
  const quiet = silentSessions === 0 ? 'none' : formatCount(silentSessions);
  const estimate = silentSessions === 0 ? '' : `, about ${formatCost(estimatedUsd)} by their pace`;
  const shown = silent.length < silentSessions ? `, the first ${silent.length} below` : '';
  return [
    `silent  ${quiet} (${after})${estimate}${shown}`,
    `loops   ${loops.length === 0 ? 'none' : formatCount(loops.length)} in the last hour`,
  ];
}

const silentColumns: readonly Column<shapes.SilentSession>[] = [
  { head: 'SILENT', cell: ({ sessionId }) => sessionId },
  { head: 'AGENT', cell: ({ agent }) => agent },
  { head: 'MODEL', cell: ({ model }) => model ?? nothing, dispensable: 1 },
  { head: 'TASK', cell: ({ taskId }) => taskId ?? nothing, dispensable: 2 },
  {
    head: 'FOR',
    cell: ({ silentMs }) => formatDuration(silentMs),
    style: () => 'yellow',
    align: 'right',
  },
  { head: 'PER MINUTE', cell: ({ usdPerMinute }) => costOf(usdPerMinute), align: 'right' },
  { head: 'ESTIMATE', cell: ({ estimatedUsd }) => costOf(estimatedUsd), align: 'right' },
];

/** An unknown pace is no pace of nothing. */
function costOf(usd: string | null): string {
  return usd === null ? '?' : formatCost(usd);
}

function loopColumns(now: Date): Column<shapes.Loop>[] {
  return [
    { head: 'LOOP', cell: (loop) => sayingOf(loop), style: () => 'red' },
    { head: 'OF', cell: ({ name }) => name },
    { head: 'AGENT', cell: ({ agent }) => agent, dispensable: 1 },
    { head: 'SESSION', cell: ({ sessionId }) => sessionId },
    { head: 'TASK', cell: ({ taskId }) => taskId ?? nothing, dispensable: 2 },
    { head: 'AGO', cell: ({ detectedAt }) => formatAge(detectedAt, now), align: 'right' },
    { head: 'ERROR', cell: ({ error }) => error || nothing, dispensable: 3 },
  ];
}

const sayings: Readonly<Record<string, string>> = {
  request: 'requests failed',
  tool: 'calls failed',
  attempt: 'attempts failed alike',
  repetition: 'calls all the same',
};

function sayingOf({ what, times }: shapes.Loop): string {
  return `${formatCount(times)} ${Object.hasOwn(sayings, what) ? sayings[what] : what}`;
}

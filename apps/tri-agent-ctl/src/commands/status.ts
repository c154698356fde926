import type { Asker } from '../client.js';
import type { Output } from '../output.js';
import { formatCost, formatCount, formatTokens, nothing } from '../render/numbers.js';
import { pairLines, tableLines } from '../render/table.js';
import { formatDuration, formatTime } from '../render/times.js';
import * as shapes from '../shapes.js';

export async function showStatus(client: Asker, output: Output): Promise<void> {
  const status = await client.get('/api/v1/status', shapes.status);
  if (output.json) {
    output.document(status);
    return;
  }
  output.lines(...pairLines(pairsOf(status, client.server.url), output.paint));
  const projections = status.projections ?? [];
  if (projections.length === 0) return;
  output.lines(
    '',
    ...tableLines(
      [
        { head: 'PROJECTION', cell: ({ name }) => name },
        { head: 'POSITION', cell: ({ position }) => String(position ?? nothing), align: 'right' },
        {
          head: 'BEHIND',
          cell: ({ lagMs }) => (typeof lagMs === 'number' ? `${formatCount(lagMs)} ms` : nothing),
          align: 'right',
        },
      ],
      projections,
      output.paint,
    ),
  );
}

/** Only what this server tells: a role that it does not have leaves its part out. */
function pairsOf(status: shapes.Status, url: string): [string, string][] {
  const { ports, sessions, today } = status;
  const listening = [
    ['http', ports?.http],
    ['otlp/http', ports?.otlpHttp],
    ['otlp/grpc', ports?.otlpGrpc],
  ].flatMap(([name, port]) => (typeof port === 'number' ? [`${name ?? ''} ${port}`] : []));
  const program = [
    `tri-agent ${status.version}`,
    status.node ? `Node ${status.node}` : '',
    status.sqlite ? `SQLite ${status.sqlite}` : '',
  ];
  const { uptimeSeconds } = status;
  const pairs: [string, string | undefined][] = [
    ['server', url],
    ['program', program.filter(Boolean).join(', ')],
    ['up', typeof uptimeSeconds === 'number' ? formatDuration(uptimeSeconds * 1_000) : undefined],
    ['since', status.startedAt ? formatTime(status.startedAt) : undefined],
    ['data', status.home ?? undefined],
    ['roles', status.roles?.join(', ')],
    ['ports', listening.length > 0 ? listening.join(', ') : undefined],
    ['log', status.log ? `newest event at ${status.log.head ?? nothing}` : undefined],
    [
      'sessions',
      sessions
        ? `${sessions.active ?? nothing} active, ${sessions.idle ?? nothing} idle`
        : undefined,
    ],
    ['today', today ? describeToday(today) : undefined],
  ];
  return pairs.flatMap(([name, value]) => (value ? [[name, value] as [string, string]] : []));
}

/** `$4.1200, 1.23M tokens`. */
export function describeToday(today: NonNullable<shapes.Status['today']>): string {
  const { tokens } = today;
  const total =
    typeof tokens === 'object' && tokens !== null ? shapes.sumOfTokens(tokens) : (tokens ?? null);
  return `${formatCost(today.costUsd)}, ${total === null ? nothing : formatTokens(total)} tokens`;
}

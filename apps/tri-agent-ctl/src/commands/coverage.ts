import { z } from 'zod';
import type { Client } from '../client.js';
import type { Output } from '../output.js';
import { formatCost, formatCount, formatTokens, nothing } from '../render/numbers.js';
import { pairLines, tableLines, type Column } from '../render/table.js';
import { formatTime } from '../render/times.js';
import { findSession } from './find-session.js';

export interface CoverageWish {
  readonly agent?: string;
  readonly since?: Date;
  readonly limit: number;
}

const count = z.int();
const tokens = z.looseObject({
  input: count,
  output: count,
  cacheRead: count,
  cacheCreation: count,
});
type Tokens = z.infer<typeof tokens>;
const usd = z.string().nullable();
const amount = z.looseObject({ requests: count, tokens, costUsd: usd });
type Amount = z.infer<typeof amount>;
const share = z.number().nullable();
const coverage = z.looseObject({
  fromTranscript: z.boolean(),
  both: amount,
  onlyTranscript: amount,
  onlyTelemetry: amount,
  share: z.looseObject({ requests: share, tokens: share, cost: share }),
});

const item = coverage.extend({ sessionId: z.string(), agent: z.string() });
type Item = z.infer<typeof item>;
const gap = z.looseObject({ occurredAt: z.string(), model: z.string(), tokens, costUsd: usd });
type Gap = z.infer<typeof gap>;
const session = item.extend({
  stated: z
    .looseObject({
      statedAt: z.string(),
      tokens,
      costUsd: usd,
      missing: z.looseObject({ tokens, costUsd: usd }),
    })
    .nullable(),
  gaps: z.array(gap),
  moreGaps: count,
});

/** How much of what the agents' own files say telemetry has told, by session. */
export async function listCoverage(
  client: Client,
  output: Output,
  { agent, since, limit }: CoverageWish,
): Promise<void> {
  const query = { agent, since: since?.toISOString() };
  const page = await client.list('/api/v1/coverage', item, limit, query);
  const { total } = await client.get('/api/v1/coverage', z.looseObject({ total: coverage }), {
    limit: 1,
  });
  if (output.json) {
    output.document({ ...page, total });
    return;
  }
  const known = page.items.filter(({ fromTranscript }) => fromTranscript);
  if (known.length === 0) {
    output.lines(
      'Nothing is known yet of what the agents wrote into their own files.',
      '"tri-agent-ctl import" reads them; with --watch it follows them.',
    );
    return;
  }
  const rows: Item[] = [...known, { ...total, sessionId: 'all', agent: '' }];
  const width = output.io.size?.().columns;
  output.lines(...tableLines(columnsFor(rows.length - 1, rows), rows, output.paint, width));
  const unknown = page.items.length - known.length;
  if (unknown > 0) output.note(`Of ${formatCount(unknown)} sessions no file was imported.`);
}

/** The coverage of one session, and every gap by name. */
export async function showCoverage(client: Client, output: Output, id: string): Promise<void> {
  const { sessionId, agent } = await findSession(client, id);
  const path = `/api/v1/sessions/${encodeURIComponent(sessionId)}/coverage`;
  const found = await client.get(path, session, { agent });
  if (output.json) {
    output.document(found);
    return;
  }
  output.lines(...pairLines(pairsOf(found), output.paint));
  if (found.gaps.length === 0) return;
  output.lines(
    '',
    output.paint('bold', 'Only in the transcript, and counted from it:'),
    ...tableLines(gapColumns, found.gaps, output.paint, output.io.size?.().columns),
  );
  if (found.moreGaps > 0) output.note(`And ${formatCount(found.moreGaps)} more.`);
}

function columnsFor(last: number, rows: readonly Item[]): Column<Item>[] {
  const style = (row: Item) => (row === rows[last] ? ('bold' as const) : undefined);
  const number = (head: string, cell: (row: Item) => string): Column<Item> => ({
    ...{ head, cell, style },
    align: 'right',
  });
  return [
    { head: 'AGENT', cell: ({ agent }) => agent, style },
    { head: 'SESSION', cell: ({ sessionId }) => sessionId.slice(0, 8), style },
    number('REQUESTS', ({ share: { requests } }) => formatShare(requests)),
    number('TOKENS', ({ share: { tokens: part } }) => formatShare(part)),
    number('COST', ({ share: { cost } }) => formatShare(cost)),
    number('BOTH', ({ both }) => formatCount(both.requests)),
    number('ONLY TRANSCRIPT', ({ onlyTranscript }) => formatCount(onlyTranscript.requests)),
    number('ONLY TELEMETRY', ({ onlyTelemetry }) => formatCount(onlyTelemetry.requests)),
    number('REPAIRED', ({ onlyTranscript }) => describeCost(onlyTranscript)),
  ];
}

const gapColumns: readonly Column<Gap>[] = [
  { head: 'TIME', cell: ({ occurredAt }) => formatTime(occurredAt) },
  { head: 'MODEL', cell: ({ model }) => model },
  { head: 'TOKENS', cell: (one) => formatTokens(sumOf(one.tokens)), align: 'right' },
  {
    head: 'COST',
    cell: ({ costUsd }) => formatCost(costUsd, costUsd === null ? 1 : 0),
    align: 'right',
  },
];

function pairsOf(found: z.infer<typeof session>): [string, string][] {
  const { share: of, stated } = found;
  const covered = found.fromTranscript
    ? `requests ${formatShare(of.requests)}, tokens ${formatShare(of.tokens)}, cost ${formatShare(of.cost)}`
    : 'not known: no file of this session was imported (tri-agent-ctl import)';
  const pairs: [string, string][] = [
    ['session', found.sessionId],
    ['agent', found.agent],
    ['covered', covered],
    ['told by both', describeAmount(found.both)],
    ['only in the transcript', describeAmount(found.onlyTranscript)],
    ['only by telemetry', describeAmount(found.onlyTelemetry)],
  ];
  if (stated === null) return pairs;
  const { missing } = stated;
  const beyond = `${formatSigned(sumOf(missing.tokens))} tokens, ${formatCost(missing.costUsd)}`;
  const at = formatTime(stated.statedAt);
  return [
    ...pairs,
    [
      'the file states',
      `${formatTokens(sumOf(stated.tokens))} tokens, ${formatCost(stated.costUsd)} (${at})`,
    ],
    ['of it not known here', beyond],
  ];
}

function describeAmount(one: Amount): string {
  return `${formatCount(one.requests)} requests, ${formatTokens(sumOf(one.tokens))} tokens, ${describeCost(one)}`;
}

function describeCost({ costUsd }: Amount): string {
  return formatCost(costUsd, costUsd === null ? 1 : 0);
}

function sumOf({ input, output, cacheRead, cacheCreation }: Tokens): number {
  return input + output + cacheRead + cacheCreation;
}

function formatSigned(amountOf: number): string {
  return amountOf < 0 ? `-${formatTokens(-amountOf)}` : formatTokens(amountOf);
}

/** Cut, not rounded: 100 % is said only where nothing is missing. */
function formatShare(part: number | null): string {
  return part === null ? nothing : `${(Math.floor(part * 1_000) / 10).toFixed(1)}%`;
}

import { limits } from '#kernel/limits.js';
import type { Output } from '../output.js';
import { formatBytes, formatCount, formatTokens } from '../render/numbers.js';
import { tableLines, type Column } from '../render/table.js';
import type { Place } from './find-files.js';
import type { Importer } from './importer.js';
import type { Sender } from './sender.js';
import type { Fault } from './tally.js';

interface Row {
  readonly agent: string;
  readonly files: number;
  readonly lines: number;
  readonly ignoredLines: number;
  readonly requests: number;
  readonly tokens: Readonly<Record<'input' | 'output' | 'cacheRead' | 'cacheCreation', number>>;
}

/** What an import has come to; `--json` prints it as it is. */
export interface Report extends Omit<Row, 'agent'> {
  readonly dryRun: boolean;
  readonly bytes: number;
  readonly agents: readonly Row[];
  /** Facts, which are requests, totals of sessions and compactions. */
  readonly appended: number;
  readonly alreadyKnown: number;
  readonly badLines: number;
  /** The first of them. */
  readonly faults: readonly Fault[];
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
  readonly lookedIn: readonly string[];
  readonly elapsedMs: number;
}

export function reportOf(
  { tally, bytes }: Importer,
  sender: Sender | undefined,
  places: readonly Place[],
  dryRun: boolean,
  elapsedMs: number,
): Report {
  const agents = [...tally.agents].map(([agent, of]): Row => {
    const { files, lines, ignoredLines, requests, tokens } = of;
    return { agent, files, lines, ignoredLines, requests, tokens: { ...tokens } };
  });
  return {
    dryRun,
    files: tally.sum('files'),
    bytes,
    lines: tally.sum('lines'),
    ignoredLines: tally.sum('ignoredLines'),
    requests: tally.sum('requests'),
    tokens: tally.tokens(),
    agents,
    appended: sender?.appended ?? 0,
    alreadyKnown: sender?.duplicates ?? 0,
    badLines: tally.faultCount,
    faults: [...tally.faults],
    unread: [...tally.unread].map(([path, reason]) => ({ path, reason })),
    lookedIn: places.map(({ folder }) => folder),
    elapsedMs: Math.round(elapsedMs),
  };
}

/** The answer of an import; what is wrong with the files beside it, on stderr. */
export function showReport(output: Output, report: Report, isAll: boolean): void {
  if (output.json) {
    if (isAll) output.document(report);
    else output.record(report);
    return;
  }
  if (report.files === 0) {
    output.lines('No transcripts were found.');
    for (const folder of report.lookedIn) output.note(`Looked in ${folder}`);
  } else showFindings(output, report);
  for (const { path, reason } of report.unread) output.note(`Not read: ${path} (${reason})`);
  showFaults(output, report);
}

function showFindings(output: Output, report: Report): void {
  const { files, bytes, lines, elapsedMs, agents, dryRun } = report;
  const seconds = (elapsedMs / 1_000).toFixed(1);
  const total: Row = { ...report, agent: 'total' };
  output.lines(
    output.paint(
      'dim',
      `${formatCount(files)} files, ${formatCount(lines)} lines, ${formatBytes(bytes)} in ${seconds} s`,
    ),
    ...tableLines(columns, agents.length === 1 ? agents : [...agents, total], output.paint),
    dryRun
      ? 'Nothing was sent (--dry-run).'
      : `${formatCount(report.appended)} new, ${formatCount(report.alreadyKnown)} known already. See "tri-agent-ctl usage".`,
  );
}

function showFaults(output: Output, { badLines, faults }: Report): void {
  if (badLines === 0) return;
  output.note(`${formatCount(badLines)} could not be used, the rest is in:`);
  for (const fault of faults.slice(0, limits.transcriptFaultsShownMax)) {
    output.note(`  ${sentenceOf(fault)}`);
  }
  if (badLines > limits.transcriptFaultsShownMax) output.note('  ... (more with --json)');
}

/** Where it is and what is wrong: `<file>:<line>: <reason>`. */
export function sentenceOf({ file, line, reason }: Fault): string {
  return line === 0 ? `${file}: ${reason}` : `${file}:${line}: ${reason}`;
}

const number = (head: string, cell: (row: Row) => string): Column<Row> => ({
  head,
  cell,
  align: 'right',
});

const columns: readonly Column<Row>[] = [
  { head: 'AGENT', cell: ({ agent }) => agent },
  number('FILES', ({ files }) => formatCount(files)),
  number('REQUESTS', ({ requests }) => formatCount(requests)),
  number('INPUT', ({ tokens }) => formatTokens(tokens.input)),
  number('OUTPUT', ({ tokens }) => formatTokens(tokens.output)),
  number('CACHE READ', ({ tokens }) => formatTokens(tokens.cacheRead)),
  number('CACHE CREATION', ({ tokens }) => formatTokens(tokens.cacheCreation)),
];

export interface Summary {
  readonly record: object;
  readonly line: string;
  readonly faults: readonly Fault[];
}

/** What came since the report before; undefined when nothing did. */
export function summaryOf(before: Report, now: Report): Summary | undefined {
  const appended = now.appended - before.appended;
  const alreadyKnown = now.alreadyKnown - before.alreadyKnown;
  const requests = now.requests - before.requests;
  const badLines = now.badLines - before.badLines;
  if (appended === 0 && alreadyKnown === 0 && requests === 0 && badLines === 0) return undefined;
  const spent = Object.values(now.tokens).reduce((sum, amount) => sum + amount, 0);
  const spentBefore = Object.values(before.tokens).reduce((sum, amount) => sum + amount, 0);
  const faults = now.faults.slice(before.faults.length);
  const noun = requests === 1 ? 'request' : 'requests';
  const found = `${formatCount(requests)} ${noun}, ${formatTokens(spent - spentBefore)} tokens`;
  const bad = badLines === 0 ? '' : `, ${formatCount(badLines)} bad lines`;
  return {
    record: { requests, tokens: spent - spentBefore, appended, alreadyKnown, badLines, faults },
    line: `${found}: ${formatCount(appended)} new, ${formatCount(alreadyKnown)} known already${bad}`,
    faults,
  };
}

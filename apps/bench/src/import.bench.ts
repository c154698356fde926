import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '#platform/project-root.js';
import { ServerProcess } from '#platform/server-process.js';
import { peakMegabytesOf } from './memory.js';
import { round, type Row } from './report.js';
import { writeTranscripts, type TranscriptTotals } from './synthetic-transcripts.js';

/** The newest that installs: later ones lack their native part. */
const peer = 'ccusage@20.0.24';
const peerNative = `@ccusage/ccusage-${process.platform}-${process.arch}@20.0.24`;
const runs = 5;

interface Figures {
  readonly requests?: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
  readonly costUsd: number | null;
}

/**
 * First import of a tree of transcripts and the daily report, beside ccusage on the same tree, which
 * reads everything each time.
 */
export async function benchImport(sessions: number, lines: number): Promise<Row> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-bench-'));
  const server = await ServerProcess.start({ home });
  try {
    const tree = join(home, 'tree');
    const truth = writeTranscripts(tree, sessions, lines);
    const theirs = await runPeer(home, tree);
    const first = await timed(ctl(server, tree, 'import', 'claude', '--json'));
    const answered = await untilVisible(server, truth);
    const reports = [];
    for (let run = 0; run < runs; run += 1) {
      reports.push(await timed(ctl(server, tree, 'usage', 'daily', ...allTime, '--json')));
    }
    const daily = median(reports.map(({ seconds }) => seconds));
    const ours = figuresOf(reports[0]?.printed ?? '{}');
    return {
      benchmark: 'import of transcripts',
      'MB read': round(truth.bytes / 1e6),
      requests: truth.requests,
      'first import s': round(first.seconds, 2),
      'in the read models after s': round(first.seconds + answered.seconds, 2),
      'ccusage daily s': theirs === undefined ? null : round(theirs.seconds, 2),
      'first import / ccusage (limit 4)': ratio(first.seconds, theirs?.seconds),
      'usage daily s, the whole process': round(daily, 3),
      'usage daily ms, the answer alone': round(answered.answerMs, 1),
      'usage daily times faster than ccusage (aim 20)': ratio(theirs?.seconds, daily),
      'the answer alone, times faster': ratio(theirs?.seconds, answered.answerMs / 1_000),
      'peak MB of import (limit 256)': first.peakMegabytes,
      'peak MB of the server': peakMegabytesOf(server.pid) ?? null,
      'peak MB of ccusage': theirs?.peakMegabytes ?? null,
      'totals equal': equalTotals(truth, ours, theirs?.figures),
      'cost by us': ours.costUsd,
      'cost by ccusage': theirs?.figures.costUsd ?? null,
    };
  } finally {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

const allTime = ['--since', '2026-01-01', '--timezone', 'UTC'];

interface Run {
  readonly seconds: number;
  readonly printed: string;
  readonly peakMegabytes: number | null;
}

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

function ctl(server: ServerProcess, tree: string, ...args: string[]): Program {
  return {
    command: process.execPath,
    args: [join(projectRoot(), 'apps/tri-agent-ctl/bin.cjs'), ...args],
    env: {
      ...{ PATH: process.env['PATH'], HOME: server.home, CLAUDE_CONFIG_DIR: tree },
      ...{ TRI_AGENT_HOME: server.home, TRI_AGENT_URL: server.url },
    },
  };
}

async function timed({ command, args, env }: Program): Promise<Run> {
  const started = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  let peakMegabytes: number | null = null;
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const look = setInterval(() => {
    peakMegabytes = peakMegabytesOf(child.pid ?? -1) ?? peakMegabytes;
  }, 20);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}.`);
  return { seconds: (performance.now() - started) / 1_000, printed, peakMegabytes };
}

/** Undefined where it cannot be installed: the figures then stand alone. */
async function runPeer(
  home: string,
  tree: string,
): Promise<(Run & { readonly figures: Figures }) | undefined> {
  const folder = join(home, 'peer');
  const options = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--silent'];
  const installed = spawnSync('npm', ['install', ...options, peer, peerNative]);
  if (installed.status !== 0) return undefined;
  const program: Program = {
    command: join(folder, 'node_modules', '.bin', 'ccusage'),
    args: ['daily', '--offline', '--json'],
    env: { PATH: process.env['PATH'], HOME: folder, CLAUDE_CONFIG_DIR: tree, TZ: 'UTC' },
  };
  const all: Run[] = [];
  for (let run = 0; run < runs; run += 1) all.push(await timed(program));
  const [last] = all;
  if (last === undefined) return undefined;
  const peaks = all.flatMap(({ peakMegabytes }) => peakMegabytes ?? []);
  const { totals } = JSON.parse(last.printed) as {
    totals: Omit<Figures, 'costUsd'> & { totalCost: number };
  };
  return {
    ...last,
    seconds: median(all.map(({ seconds }) => seconds)),
    peakMegabytes: peaks.length === 0 ? null : Math.max(...peaks),
    figures: { ...totals, costUsd: totals.totalCost },
  };
}

/** Until the read models hold everything; then how long one answer takes, the median of some. */
async function untilVisible(
  server: ServerProcess,
  truth: TranscriptTotals,
): Promise<{ readonly seconds: number; readonly answerMs: number }> {
  const started = performance.now();
  const token = readFileSync(join(server.home, 'token'), 'utf8').trim();
  const ask = async () => {
    const asked = performance.now();
    const answer = await fetch(`${server.url}/api/v1/usage?by=day&since=2026-01-01T00:00:00Z`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { total } = (await answer.json()) as { total?: { requests: number } };
    return { requests: total?.requests, ms: performance.now() - asked };
  };
  while ((await ask()).requests !== truth.requests) await delay(20);
  const seconds = (performance.now() - started) / 1_000;
  const answers = [];
  for (let run = 0; run < runs; run += 1) answers.push((await ask()).ms);
  return { seconds, answerMs: median(answers) };
}

function figuresOf(printed: string): Figures {
  const { total } = JSON.parse(printed) as {
    total: {
      tokens: Record<'input' | 'output' | 'cacheRead' | 'cacheCreation', number>;
      costUsd: string;
    };
  };
  return {
    inputTokens: total.tokens.input,
    outputTokens: total.tokens.output,
    cacheReadTokens: total.tokens.cacheRead,
    cacheCreationTokens: total.tokens.cacheCreation,
    costUsd: Number(total.costUsd),
  };
}

function equalTotals(truth: TranscriptTotals, ours: Figures, theirs: Figures | undefined): string {
  const kinds = ['inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheCreationTokens'] as const;
  const all = [ours, ...(theirs === undefined ? [] : [theirs])];
  const tokens = kinds.every((kind) => all.every((figures) => figures[kind] === truth[kind]));
  if (!tokens) throw new Error('The totals are not those of the files.');
  if (theirs === undefined) return 'with the files';
  // They add up floating-point dollars.
  const difference = Math.abs((ours.costUsd ?? 0) - (theirs.costUsd ?? 0));
  if (difference >= 1e-5) throw new Error('The costs are not equal.');
  return 'with the files and with ccusage';
}

function ratio(dividend: number | undefined, divisor: number | undefined): number | null {
  return dividend === undefined || divisor === undefined ? null : round(dividend / divisor, 2);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

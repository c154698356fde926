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
const peerPackage = 'ccusage@20.0.24';
const peerNative = `@ccusage/ccusage-${process.platform}-${process.arch}@20.0.24`;
const runs = 7;

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
 * reads everything each time. Both take turns, since how fast a machine is changes from one moment to
 * the next; each is timed from the start of its process to its end.
 */
export async function benchImport(sessions: number, lines: number): Promise<Row> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-bench-'));
  const server = await ServerProcess.start({ home });
  try {
    const tree = join(home, 'tree');
    const truth = writeTranscripts(tree, sessions, lines);
    const peer = installPeer(home, tree);
    const before = await timed(peer);
    const first = await timed(ctl(server, tree, 'import', 'claude', '--json'));
    const answered = await untilVisible(server, truth);
    const after = await timed(peer);
    const report = ctl(server, tree, 'usage', 'daily', ...allTime, '--json');
    const rounds: Round[] = [];
    for (let run = 0; run < runs; run += 1) {
      rounds.push({ ours: await timed(report), theirs: await timed(peer) });
    }
    const ours = figuresOf(rounds[0]?.ours?.printed ?? '{}');
    const theirs = peerFiguresOf(before?.printed);
    const peerFirst = meanOf(before?.seconds, after?.seconds);
    const peerSeconds = medianOf(rounds.map((round) => round.theirs?.seconds));
    const peaks = rounds.map((round) => round.theirs?.peakMegabytes);
    return {
      benchmark: 'import of transcripts',
      'MB read': round(truth.bytes / 1e6),
      requests: truth.requests,
      'first import s': rounded(first?.seconds, 2),
      'in the read models after s': rounded(answered.at - (first?.startedAt ?? NaN), 2),
      'ccusage daily s, before and after it': rounded(peerFirst, 2),
      'first import / ccusage (limit 4)': ratio(first?.seconds, peerFirst),
      'usage daily s, the whole process': rounded(
        medianOf(rounds.map((it) => it.ours?.seconds)),
        3,
      ),
      'usage daily ms, the answer alone': round(answered.answerMs, 1),
      'ccusage daily s': rounded(peerSeconds, 2),
      'usage daily times faster than ccusage (limit 20)': rounded(
        medianOf(rounds.map((it) => ratio(it.theirs?.seconds, it.ours?.seconds))),
        2,
      ),
      'the answer alone, times faster': ratio(peerSeconds, answered.answerMs / 1_000),
      'peak MB of import (limit 256)': first?.peakMegabytes ?? null,
      'peak MB of the server': peakMegabytesOf(server.pid) ?? null,
      'peak MB of ccusage': rounded(medianOf(peaks), 1),
      'totals equal': equalTotals(truth, ours, theirs),
      'cost by us': ours.costUsd,
      'cost by ccusage': theirs?.costUsd ?? null,
    };
  } finally {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

const allTime = ['--since', '2026-01-01', '--timezone', 'UTC'];

interface Run {
  /** As `performance.now()` counts, in seconds. */
  readonly startedAt: number;
  readonly seconds: number;
  readonly printed: string;
  readonly peakMegabytes: number | null;
}

/** Undefined where ccusage cannot be installed: our figures then stand alone. */
interface Round {
  readonly ours: Run | undefined;
  readonly theirs: Run | undefined;
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

async function timed(program: Program | undefined): Promise<Run | undefined> {
  if (program === undefined) return undefined;
  const { command, args, env } = program;
  const startedAt = performance.now() / 1_000;
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
  const seconds = performance.now() / 1_000 - startedAt;
  return { startedAt, seconds, printed, peakMegabytes };
}

/** Undefined where it cannot be installed. */
function installPeer(home: string, tree: string): Program | undefined {
  const folder = join(home, 'peer');
  const options = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--silent'];
  const installed = spawnSync('npm', ['install', ...options, peerPackage, peerNative]);
  if (installed.status !== 0) return undefined;
  return {
    command: join(folder, 'node_modules', '.bin', 'ccusage'),
    args: ['daily', '--offline', '--json'],
    env: { PATH: process.env['PATH'], HOME: folder, CLAUDE_CONFIG_DIR: tree, TZ: 'UTC' },
  };
}

function peerFiguresOf(printed: string | undefined): Figures | undefined {
  if (printed === undefined) return undefined;
  const { totals } = JSON.parse(printed) as {
    totals: Omit<Figures, 'costUsd'> & { totalCost: number };
  };
  return { ...totals, costUsd: totals.totalCost };
}

/** Until the read models hold everything; then how long one answer takes, the median of some. */
async function untilVisible(
  server: ServerProcess,
  truth: TranscriptTotals,
): Promise<{ readonly at: number; readonly answerMs: number }> {
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
  const at = performance.now() / 1_000;
  const answers = [];
  for (let run = 0; run < runs; run += 1) answers.push((await ask()).ms);
  return { at, answerMs: medianOf(answers) ?? NaN };
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

type Maybe = number | null | undefined;

function ratio(dividend: Maybe, divisor: Maybe): number | null {
  return rounded((dividend ?? NaN) / (divisor ?? NaN), 2);
}

function rounded(value: Maybe, digits: number): number | null {
  return Number.isFinite(value ?? NaN) ? round(value ?? NaN, digits) : null;
}

function meanOf(one: Maybe, other: Maybe): number {
  return ((one ?? NaN) + (other ?? NaN)) / 2;
}

function medianOf(values: readonly Maybe[]): number | undefined {
  const sorted = values.filter((it) => typeof it === 'number').toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

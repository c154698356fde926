import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Failure } from '../failure.js';
import type { Io } from '../io.js';
import type { Run } from '../run.js';
import { homeOf } from '../server.js';
import { withBar } from '../render/bar.js';
import { formatTime } from '../render/times.js';
import { checkNamed, namedPlace, usualPlaces, type Place } from '../transcripts/find-files.js';
import { follow } from '../transcripts/following.js';
import { Importer, type OnProgress } from '../transcripts/importer.js';
import type { Agent } from '../transcripts/facts.js';
import { reportOf, sentenceOf, showReport, summaryOf, type Report } from '../transcripts/report.js';
import { Sender } from '../transcripts/sender.js';
import { limits } from '#kernel/limits.js';

// Of what an import makes nearly nothing outlives its batch: with its space for new objects growing the
// process would take 200 MB on a large history instead of 150, and be no faster.
setFlagsFromString('--semi-space-growth-factor=1');

export type ImportedAgent = 'claude' | 'codex' | 'gemini' | 'all';

export interface ImportWish {
  readonly path?: string;
  readonly watch: boolean;
  readonly dryRun: boolean;
}

const agents: Readonly<Record<ImportedAgent, Agent | 'all'>> = {
  claude: 'claude-code',
  codex: 'codex',
  gemini: 'gemini',
  all: 'all',
};

/** Reads the usage that agents have left on disk and sends it to the server; once, or on and on. */
export async function importTranscripts(
  run: Run,
  agent: ImportedAgent,
  wish: ImportWish,
): Promise<void> {
  const { io, output } = run;
  const places = placesOf(io, agents[agent], wish.path);
  const sender = wish.dryRun ? undefined : senderOf(run, wish, () => importer);
  const { signal } = io;
  const importer: Importer = new Importer({ places, sender, signal });
  const startedAt = performance.now();
  const report = (): Report =>
    reportOf(importer, sender, places, wish.dryRun, performance.now() - startedAt);

  await withProgress(io, (onProgress) => importer.pass(onProgress)).catch((error: unknown) => {
    throw resumable(error);
  });
  showReport(output, report(), !wish.watch);
  if (!wish.watch || signal === undefined) return;

  if (!output.json) output.note('Following. Ctrl-C ends it.');
  let before = report();
  await follow(
    places.map(({ folder }) => folder),
    signal,
    async () => {
      await importer.pass();
      const now = report();
      const summary = summaryOf(before, now);
      before = now;
      if (summary === undefined) return;
      if (output.json) output.record(summary.record);
      else output.lines(`${formatTime(io.now().toISOString())}  ${summary.line}`);
      for (const fault of summary.faults) output.note(sentenceOf(fault));
    },
  ).catch((error: unknown) => {
    throw resumable(error);
  });
}

function placesOf(io: Io, agent: Agent | 'all', path: string | undefined): Place[] {
  if (path === undefined) return usualPlaces(agent, homeOf(io), io.env);
  const named = resolve(io.cwd ?? '.', path);
  checkNamed(named);
  return [namedPlace(agent, named)];
}

function senderOf(run: Run, { watch }: ImportWish, importer: () => Importer): Sender {
  return new Sender({
    client: run.client(),
    triesMax: watch ? Infinity : limits.importTriesMax,
    onRejected: (path, fact, reason) => {
      const what = fact.kind === 'totals' ? 'the totals' : `request ${fact.key}`;
      importer().fault(path, 0, `the server refused ${what}: ${reason}`);
    },
    onWaiting: ({ message }) => {
      run.output.note(`${message} Waiting for it.`);
    },
    signal: run.io.signal,
  });
}

/** A bar on the terminal, where there is one. */
async function withProgress(
  io: Io,
  work: (onProgress: OnProgress) => Promise<unknown>,
): Promise<void> {
  const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024);
  await withBar(io, 'Reading {bar} {percentage}% of {total} MiB', (bar) =>
    work((totalBytes, bytes) => {
      bar.setTotal(mebibytes(totalBytes));
      bar.update(mebibytes(bytes));
    }),
  );
}

/** Nothing is lost by an import that breaks off, and whoever sees it should know. */
function resumable(error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  const { code, message, hint, exit, httpStatus } = error;
  const more = 'Then run the import again: it goes on where it was, and counts nothing twice.';
  return new Failure(code, message, `${hint} ${more}`, exit, httpStatus);
}

import { endTrees } from '#platform/process-trees.js';
import { listProcesses, processesTellTheirAttempt } from '#platform/processes.js';
import type { Client } from '../client.js';
import { Failure, exitCode, reasonOf } from '../failure.js';
import { usageFailure, type Output } from '../output.js';
import { planReap, rootsToEnd, sparedBy, type Plan } from '../reap/plan.js';
import { failed, itemsOf, showItems, type Item } from '../reap/report.js';
import { askStandings, type Standings } from '../reap/standings.js';
import { formatDuration } from '../render/times.js';

export interface ReapWish {
  readonly dryRun: boolean;
  /** Milliseconds. */
  readonly olderThan: number;
  readonly allAgents: boolean;
  readonly yes: boolean;
}

/**
 * Ends what attempts have left running on this host, and tells of old agents that people started.
 * @returns the exit code.
 */
export async function reap(client: Client, output: Output, wish: ReapWish): Promise<number> {
  const { io } = output;
  if (!wish.dryRun && !wish.yes && (io.ask === undefined || output.json)) {
    throw usageFailure(
      'Nobody can be asked here whether processes are to be ended.',
      'See what would be done with --dry-run, then do it with --yes.',
    );
  }
  const list = io.listProcesses ?? listProcesses;
  const processes = await list().catch((error: unknown) => {
    throw new Failure('processes_not_told', reasonOf(error), 'Look for old agents by hand.');
  });
  const standings = await askStandings(client, processes);
  const nowMs = io.now().getTime();
  const { olderThan: olderThanMs, allAgents } = wish;
  const plan = planReap(processes, { standings: standings.of, nowMs, olderThanMs, allAgents });
  const roots = rootsToEnd(plan);
  const nothing = roots.processes.length === 0;
  let items = itemsOf(plan, io.now());
  if (!nothing && !wish.dryRun && (wish.yes || (await confirms(items, output)))) {
    const spares = sparedBy(roots);
    const ended = await endTrees(roots, { list, spares, signal: io.signal });
    items = itemsOf(plan, io.now(), ended);
    if (!output.json) showItems(items, output);
  } else if (!output.json && (wish.dryRun || wish.yes || nothing)) showItems(items, output);
  if (output.json) output.document(documentOf(items, plan, standings, wish));
  else tell(items, plan, standings, wish, output);
  const fine = standings.failure === undefined && !items.some(failed);
  return fine ? exitCode.ok : exitCode.failed;
}

async function confirms(items: readonly Item[], output: Output): Promise<boolean> {
  showItems(items, output);
  const count = items.filter(({ done }) => done === 'would-be-ended').length;
  const answer = await output.io.ask?.(`End ${processesOf(count)}? [y/N] `);
  return /^y(es)?$/i.test((answer ?? '').trim());
}

function documentOf(
  items: readonly Item[],
  { running }: Plan,
  { failure }: Standings,
  { dryRun, olderThan }: ReapWish,
) {
  const { code, message, hint } = failure ?? {};
  return {
    dryRun,
    olderThanMs: olderThan,
    items,
    running,
    attemptsAreTold: processesTellTheirAttempt,
    problem: failure === undefined ? null : { code, message, hint },
  };
}

function tell(
  items: readonly Item[],
  { running }: Plan,
  { failure }: Standings,
  wish: ReapWish,
  output: Output,
): void {
  const count = (holds: (item: Item) => boolean) => items.filter(holds).length;
  const ended = count(({ done }) => done === 'ended' || done === 'killed');
  const wouldEnd = count(({ done }) => done === 'would-be-ended');
  const said = [
    ended > 0 ? `${processesOf(ended)} ended.` : wish.dryRun ? '' : 'Nothing was ended.',
    wish.dryRun ? `${processesOf(wouldEnd)} would be ended; nothing was signalled.` : '',
    running.attempts > 0
      ? `${processesOf(running.processes)} of running attempts (${running.attempts}) left alone.`
      : '',
  ];
  output.lines(said.filter(Boolean).join(' '));
  const old = count(({ why, done }) => why === 'agent-too-old' && done === 'left');
  if (old > 0) {
    const than = formatDuration(wish.olderThan);
    output.note(
      `Agents that people started more than ${than} ago are only reported: end them yourself, or with --all-agents.`,
    );
  }
  if (!processesTellTheirAttempt) {
    output.note('On this platform processes do not tell their attempt: only old agents are found.');
  }
  if (failure !== undefined) {
    output.note('Of attempts that the server was not asked about, nothing is ended.');
    output.note(failure.message);
    output.note(failure.hint);
  }
}

function processesOf(count: number): string {
  return count === 1 ? '1 process' : `${count} processes`;
}

import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import { clean } from '#platform/harmless-text.js';
import { count, flag, list, name, object, orNull, text, type Of } from '../checks.js';
import type { Asker } from '../client.js';
import { exitCode } from '../failure.js';
import { usageFailure, type Output } from '../output.js';
import { nothing } from '../render/numbers.js';
import { tableLines, type Column } from '../render/table.js';

export interface KillWish {
  readonly reason?: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
}
export type KillNoun = 'task' | 'session' | 'worker' | 'all';

const target = object({
  kind: text,
  taskId: orNull(text),
  attemptId: orNull(text),
  workerId: orNull(text),
  sessionId: orNull(text),
  host: orNull(text),
  pid: orNull(count),
});
type Target = Of<typeof target>;
const processShape = object({ pid: count, name: text });
const aimed = object({
  killId: orNull(text),
  target,
  processes: orNull(list(processShape)),
});
const ordered = object({ dryRun: flag, claimsPaused: flag, items: list(aimed) });
type Ordered = Of<typeof ordered>;
const outcome = object({ is: text });
const kill = object({ killId: name, target, reason: text, outcome });
type Kill = Of<typeof kill>;

const path = '/api/v1/kills';

/** @returns the exit code: 1 where something may still run */
export async function killAgents(
  client: Asker,
  output: Output,
  noun: KillNoun,
  id: string,
  { reason = 'An operator ended it.', dryRun, yes }: KillWish,
): Promise<number> {
  const { io } = output;
  const aim = { kind: noun, ...(noun !== 'all' && { [`${noun}Id`]: id }) };
  const order = (isDry: boolean) => client.post(path, ordered, { aim, reason, dryRun: isDry });
  if (!dryRun && !yes && (io.ask === undefined || output.json)) {
    throw usageFailure(
      'Nobody can be asked here whether agents are to be ended.',
      'See what would be ended with --dry-run, then do it with --yes.',
    );
  }
  if (dryRun || !yes) {
    const plan = await order(true);
    if (dryRun && output.json) {
      output.document(plan);
      return exitCode.ok;
    }
    showPlan(plan, output);
    if (plan.items.length === 0) output.lines('No agent runs that is known here.');
    if (dryRun) {
      output.lines('Nothing was signalled.');
      return exitCode.ok;
    }
    const answer = await io.ask?.(`End ${agentsOf(plan.items.length)}? [y/N] `);
    if (!/^y(es)?$/i.test((answer ?? '').trim())) {
      output.lines('Nothing was ended.');
      return exitCode.ok;
    }
  }
  const done = await order(false);
  const kills = await watched(client, done, output);
  const fine = kills.every(({ outcome: { is } }) => is === 'confirmed');
  if (output.json) output.document({ ...done, kills });
  else tell(kills, done, output);
  return fine ? exitCode.ok : exitCode.failed;
}

export async function listKills(client: Asker, output: Output): Promise<void> {
  const page = await client.list(path, kill, limits.killsRememberedMax);
  if (output.json) {
    output.document(page);
    return;
  }
  if (page.items.length === 0) {
    output.lines('Nothing was killed of late.');
    return;
  }
  output.lines(...tableLines(columns, page.items, output.paint, output.io.size?.().columns));
}

/** Asks until each is known to have ended, or not to. */
async function watched(client: Asker, { items }: Ordered, output: Output): Promise<Kill[]> {
  const lastMs = performance.now() + limits.killToldMs + limits.requestWaitMs;
  const ids = items.flatMap(({ killId }) => (killId === null ? [] : [killId]));
  if (!output.json) output.note(`${agentsOf(ids.length)} told to end; waiting to see that.`);
  for (;;) {
    const all = await client.list(path, kill, limits.killsRememberedMax);
    const own = all.items.filter(({ killId }) => ids.includes(killId));
    const isOver = own.every(({ outcome: { is } }) => is !== 'open');
    if (isOver || performance.now() > lastMs || output.io.signal?.aborted) return own;
    await wait(limits.killAskedMs);
  }
}

function showPlan({ items }: Ordered, output: Output): void {
  for (const { target: it, processes } of items) {
    output.lines(describe(it));
    if (processes === null)
      output.lines(output.paint('dim', '  its processes are on another host'));
    for (const { pid, name: called } of processes ?? []) {
      output.lines(output.paint('dim', `  ${pid} ${clean(called)}`));
    }
  }
}

function tell(kills: readonly Kill[], { claimsPaused }: Ordered, output: Output): void {
  if (kills.length === 0) output.lines('No agent ran that is known here.');
  for (const it of kills) output.lines(`${describe(it.target)}: ${outcomeOf(it)}`);
  if (kills.some(({ target: { kind } }) => kind === 'attempt')) {
    output.note('Their tasks are paused: "tri-agent-ctl tasks resume <task>" carries on.');
  }
  if (claimsPaused) output.note('Nothing is claimed until "tri-agent-ctl queue resume".');
}

function describe({ kind, taskId, workerId, sessionId, host, pid }: Target): string {
  return kind === 'attempt'
    ? `task ${clean(taskId ?? '')} on worker ${clean(workerId ?? '')}`
    : `session ${clean(sessionId ?? '')}, process ${pid ?? nothing} on ${clean(host ?? '')}`;
}

function outcomeOf({ outcome: { is, ...more } }: Kill): string {
  if (is === 'open') return 'not known yet; see "tri-agent-ctl kill list"';
  if (is === 'confirmed') {
    const { ended, durationMs } = more as { ended?: number; durationMs?: number | null };
    const after = typeof durationMs === 'number' ? ` after ${durationMs} ms` : '';
    return `ended${after}, ${ended ?? 0} processes`;
  }
  const { reason = '', survivors = [] } = more as {
    reason?: string;
    survivors?: readonly { pid: number; name: string }[];
  };
  const left = survivors.map(({ pid, name: called }) => `${pid} ${clean(called)}`).join(', ');
  return `NOT ENDED. ${clean(reason)}${left === '' ? '' : ` Left: ${left}`}`;
}

const columns: readonly Column<Kill>[] = [
  { head: 'WHAT', cell: ({ target: it }) => describe(it) },
  {
    head: 'OUTCOME',
    cell: outcomeOf,
    style: ({ outcome: { is } }) => (is === 'failed' ? 'red' : undefined),
  },
  { head: 'WHY', cell: ({ reason }) => reason, dispensable: 1 },
];

function agentsOf(amount: number): string {
  return amount === 1 ? '1 agent' : `${amount} agents`;
}

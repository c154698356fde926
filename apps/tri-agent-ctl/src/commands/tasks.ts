import type { Asker, Query } from '../client.js';
import { findingTask } from '../dispatch/find-task.js';
import * as shapes from '../dispatch/shapes.js';
import type { Output } from '../output.js';
import { formatCost, formatCount, nothing } from '../render/numbers.js';
import type { Style } from '../render/paint.js';
import { pairLines, tableLines, type Column } from '../render/table.js';
import { formatAge, formatDuration, formatTime } from '../render/times.js';
import { formatWait } from '../dispatch/waits.js';

export interface TasksWish {
  readonly state?: string;
  readonly lane?: string;
  readonly shard?: string;
  readonly agent?: string;
  readonly team?: string;
  readonly project?: string;
  readonly tag?: string;
  readonly limit: number;
}

export async function listTasks(client: Asker, output: Output, wish: TasksWish): Promise<void> {
  const { limit, ...filters } = wish;
  const none = 'No such tasks. "tri-agent-ctl tasks submit --help" tells how to queue work.';
  await listBy(client, output, filters, limit, columnsOf, none);
}

/** What was tried often enough, and waits for a person. */
export async function listDeadLetters(client: Asker, output: Output, limit: number): Promise<void> {
  const none = 'No dead letters: nothing waits for you.';
  await listBy(client, output, { state: 'parked' }, limit, deadLetterColumns, none);
}

async function listBy(
  client: Asker,
  output: Output,
  filters: Query,
  limit: number,
  columns: (now: Date) => readonly Column<shapes.Task>[],
  none: string,
): Promise<void> {
  const page = await client.list('/api/v1/tasks', shapes.task, limit, filters);
  if (output.json) {
    output.document(page);
    return;
  }
  if (page.items.length === 0) {
    output.lines(none);
    return;
  }
  const width = output.io.size?.().columns;
  output.lines(...tableLines(columns(output.io.now()), page.items, output.paint, width));
  if (page.nextCursor !== null) {
    output.note(`There are more: these are the newest ${page.items.length}. See --limit.`);
  }
}

const styles: Readonly<Record<string, Style>> = {
  running: 'green',
  parked: 'red',
  delayed: 'yellow',
  paused: 'yellow',
  completed: 'dim',
  cancelled: 'dim',
};
const idColumn: Column<shapes.Task> = { head: 'TASK', cell: ({ taskId }) => taskId };

function columnsOf(now: Date): Column<shapes.Task>[] {
  return [
    idColumn,
    {
      head: 'STATE',
      cell: ({ state, percent }) =>
        state === 'running' && typeof percent === 'number' ? `${state} ${percent}%` : state,
      style: ({ state }) => styles[state],
    },
    { head: 'LANE', cell: ({ lane }) => lane },
    { head: 'SHARD', cell: ({ shard }) => shard },
    { head: 'AGENT', cell: ({ agent }) => agent },
    { head: 'MODEL', cell: ({ model }) => model ?? nothing, dispensable: 4 },
    { head: 'PROJECT', cell: ({ project }) => project ?? nothing, dispensable: 3 },
    { head: 'TRIES', cell: ({ attempts }) => countOf(attempts), align: 'right', dispensable: 2 },
    {
      head: 'AGO',
      cell: ({ submittedAt }) => formatAge(submittedAt, now),
      align: 'right',
    },
    { head: 'REASON', cell: ({ reason }) => reason ?? '', dispensable: 1 },
  ];
}

function deadLetterColumns(now: Date): Column<shapes.Task>[] {
  return [
    idColumn,
    { head: 'LANE', cell: ({ lane }) => lane },
    { head: 'AGENT', cell: ({ agent }) => agent, dispensable: 2 },
    { head: 'PROJECT', cell: ({ project }) => project ?? nothing, dispensable: 3 },
    { head: 'TRIES', cell: ({ attempts }) => countOf(attempts), align: 'right' },
    { head: 'PARKED', cell: ({ endedAt }) => formatAge(endedAt, now), align: 'right' },
    { head: 'REASON', cell: ({ reason }) => reason ?? nothing },
  ];
}

function countOf(count: number | null | undefined): string {
  return typeof count === 'number' ? formatCount(count) : nothing;
}

export async function showTask(client: Asker, output: Output, taskId: string): Promise<void> {
  const asked = client.get(shapes.taskPath(taskId), shapes.taskDetail);
  const task = await findingTask(taskId, asked);
  if (output.json) {
    output.document(task);
    return;
  }
  const now = output.io.now();
  output.lines(...pairLines(pairsOf(task, now), output.paint));
  const attempts = task.attemptList ?? [];
  if (attempts.length === 0) return;
  const width = output.io.size?.().columns;
  output.lines('', ...tableLines(attemptColumns(now), attempts, output.paint, width));
}

function pairsOf(task: shapes.TaskDetail, now: Date): [string, string][] {
  const time = (at: string | null | undefined): string | undefined =>
    at ? `${formatTime(at)} (${formatAge(at, now)} ago)` : undefined;
  const late = task.lateResults?.map(({ attemptId }) => attemptId).join(', ');
  const pairs: [string, string | null | undefined][] = [
    ['task', task.taskId],
    ['state', task.state],
    ['reason', task.reason],
    ['halt', haltOf(task)],
    ['carries on', conversationOf(task)],
    ['progress', typeof task.percent === 'number' ? `${task.percent}%` : undefined],
    ['agent', task.agent],
    ['model', task.model],
    ['lane', task.lane],
    ['shard', task.shard],
    ['size', task.size],
    ['team', task.team],
    ['project', task.project],
    ['tags', task.tags?.join(', ')],
    ['directory', task.directory],
    ['repository', task.repository],
    ['ref', task.ref],
    ['permission mode', task.permissionMode],
    ['depends on', task.dependsOn?.join(', ')],
    ['idempotency key', task.idempotencyKey],
    [
      'prompt',
      typeof task.promptCharacters === 'number'
        ? `${formatCount(task.promptCharacters)} characters`
        : undefined,
    ],
    ['budget', task.budgetUsd ? `${formatCost(task.budgetUsd)} each attempt` : undefined],
    ['may cost', task.maxCostUsd ? `${formatCost(task.maxCostUsd)} in all` : undefined],
    ['tools', task.allowedTools?.join(', ')],
    ['timeout', typeof task.timeoutMs === 'number' ? formatDuration(task.timeoutMs) : undefined],
    ['retries', task.retries?.toString()],
    ['attempts', task.attempts?.toString()],
    ['submitted', time(task.submittedAt)],
    ['started', time(task.startedAt)],
    ['ended', time(task.endedAt)],
    ['worker', task.workerId],
    ['session', task.sessionId],
    ['result', task.resultHash],
    ['late results', late ? `of ${late}; take one with "tasks adopt"` : undefined],
  ];
  return pairs.flatMap(([name, value]) => (value ? [[name, value] as [string, string]] : []));
}

/** Of what is paused `reason` tells why. */
function haltOf({ halt, state }: shapes.TaskDetail): string | undefined {
  if (!halt) return undefined;
  const by = `by ${halt.holder ?? 'an operator'}`;
  return state === 'paused' ? by : `ordered ${by} (${halt.how}): ${halt.reason}`;
}

function conversationOf({ conversation }: shapes.TaskDetail): string | undefined {
  return conversation
    ? `session ${conversation.sessionId}, on host ${conversation.host}`
    : undefined;
}

function attemptColumns(now: Date): Column<shapes.Attempt>[] {
  return [
    { head: 'ATTEMPT', cell: ({ attemptId }) => attemptId },
    { head: 'WORKER', cell: ({ workerId }) => workerId },
    { head: 'AGENT', cell: ({ agent }) => agent, dispensable: 2 },
    { head: 'MODEL', cell: ({ model }) => model ?? nothing, dispensable: 3 },
    { head: 'CLAIMED', cell: ({ claimedAt }) => formatAge(claimedAt, now), align: 'right' },
    {
      head: 'WAITED',
      cell: ({ waitedMs }) => formatWait(waitedMs),
      align: 'right',
      dispensable: 4,
    },
    { head: 'TOOK', cell: ({ durationMs }) => formatWait(durationMs), align: 'right' },
    { head: 'END', cell: ({ end }) => end ?? 'runs' },
    { head: 'ERROR', cell: ({ error }) => error ?? '', dispensable: 1 },
  ];
}

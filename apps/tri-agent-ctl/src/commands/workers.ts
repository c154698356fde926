import { limits } from '#kernel/limits.js';
import { maybe, record } from '../checks.js';
import { isNotFound, type Asker } from '../client.js';
import * as shapes from '../dispatch/shapes.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { nothing } from '../render/numbers.js';
import { pairLines, tableLines, type Column } from '../render/table.js';
import { clean } from '#platform/harmless-text.js';

export async function listWorkers(client: Asker, output: Output): Promise<void> {
  const page = await client.list('/api/v1/workers', shapes.worker, limits.listItemsMax);
  if (output.json) {
    output.document(page);
    return;
  }
  if (page.items.length === 0) {
    output.lines('No workers are registered: what is queued waits for one.');
    return;
  }
  output.lines(...tableLines(columns, page.items, output.paint, output.io.size?.().columns));
}

const columns: readonly Column<shapes.Worker>[] = [
  { head: 'WORKER', cell: ({ workerId }) => workerId },
  { head: 'HOST', cell: ({ host }) => host ?? nothing, dispensable: 2 },
  { head: 'SHARDS', cell: ({ shards }) => shards.join(', '), dispensable: 1 },
  { head: 'AGENTS', cell: ({ seats }) => seats.map(describeSeat).join(', ') },
  {
    head: 'VERSIONS',
    cell: ({ agents }) => agents?.map(({ version }) => version ?? '?').join(', ') ?? nothing,
    dispensable: 4,
  },
  {
    head: 'BUSY',
    cell: ({ running, slots }) => `${running} of ${slots}`,
    style: ({ running, slots }) => (running >= slots ? 'yellow' : undefined),
    align: 'right',
  },
  {
    head: 'TASKS',
    cell: ({ attempts }) => attempts?.map(({ taskId }) => taskId).join(', ') ?? nothing,
    dispensable: 3,
  },
];

/** `codex`, `codex of team-b`. */
function describeSeat({ agent, account }: shapes.Worker['seats'][number]): string {
  return account && account !== 'default' ? `${agent} of ${account}` : agent;
}

/** `codex 0.61.0`. */
function describeVersion({ name, version }: AgentVersion): string {
  return `${name} ${version ?? '(version unknown)'}`;
}
type AgentVersion = NonNullable<shapes.Worker['agents']>[number];

/** Dismisses a worker that is gone, or is to go. */
export async function dismissWorker(
  client: Asker,
  output: Output,
  workerId: string,
  wish: { readonly reason?: string },
): Promise<void> {
  const path = `/api/v1/workers/${encodeURIComponent(workerId)}/leave`;
  await client.post(path, maybe(record), wish).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    throw unknownWorker(workerId);
  });
  if (output.json) {
    output.document({ workerId, left: true });
    return;
  }
  output.lines(
    `Worker ${clean(workerId)} has been dismissed and ends. What it held is given back, and others may claim it.`,
    output.paint('dim', 'It costs those tasks no attempt.'),
  );
}

/** What is known of one worker. */
export async function showWorker(client: Asker, output: Output, workerId: string): Promise<void> {
  const { items } = await client.list('/api/v1/workers', shapes.worker, limits.listItemsMax);
  const worker = items.find((it) => it.workerId === workerId);
  if (worker === undefined) throw unknownWorker(workerId);
  if (output.json) {
    output.document(worker);
    return;
  }
  const { host, shards, seats, slots, agents, containment, running, attempts } = worker;
  output.lines(
    ...pairLines(
      [
        ['worker', workerId],
        ['host', host ?? nothing],
        ['shards', shards.join(', ')],
        ['agents', seats.map(describeSeat).join(', ')],
        ['versions', agents?.map(describeVersion).join(', ') || nothing],
        ['containment', containment ?? nothing],
        ['busy', `${running} of ${slots}`],
        ['tasks', attempts?.map(({ taskId }) => taskId).join(', ') || nothing],
      ],
      output.paint,
    ),
  );
}

function unknownWorker(workerId: string): Failure {
  return new Failure(
    'worker_not_found',
    `There is no worker "${workerId}".`,
    'See which there are with "tri-agent-ctl workers list".',
  );
}

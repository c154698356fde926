import { limits } from '#kernel/limits.js';
import type { HostProcess } from '#platform/processes.js';
import { list, object, orNull, text } from '../checks.js';
import { isNotFound, type Client } from '../client.js';
import { Failure } from '../failure.js';

/**
 * How an attempt stands with the server. `unknown`: it does not say that this attempt has ended; most
 * often it is of another server that works on the same host.
 */
export type Standing = 'runs' | 'ended' | 'unknown' | 'not-asked';

export interface Standings {
  readonly of: ReadonlyMap<string, Standing>;
  /** Why not all could be asked about. */
  readonly failure: Failure | undefined;
}

const workers = object({
  items: list(object({ attempts: list(object({ attemptId: text })) })),
});
const task = object({
  attemptList: list(object({ attemptId: text, endedAt: orNull(text) })),
});

/**
 * Asks about all attempts that processes name. Has to be asked after the processes were listed: then
 * none of them can be of an attempt that began since.
 */
export async function askStandings(
  client: Client,
  processes: readonly HostProcess[],
): Promise<Standings> {
  const tasksOf = new Map<string, Set<string>>();
  for (const { attemptId, taskId } of processes) {
    if (attemptId === undefined) continue;
    const tasks = tasksOf.get(attemptId) ?? new Set<string>();
    tasksOf.set(attemptId, taskId === undefined ? tasks : tasks.add(taskId));
  }
  const of = new Map<string, Standing>([...tasksOf.keys()].map((it) => [it, 'not-asked']));
  if (of.size === 0) return { of, failure: undefined };
  try {
    const { items } = await client.get('/api/v1/workers', workers);
    for (const { attempts } of items) {
      for (const { attemptId } of attempts) if (of.has(attemptId)) of.set(attemptId, 'runs');
    }
    const open = [...of].filter(([, standing]) => standing === 'not-asked').map(([id]) => id);
    for (const attemptId of open.slice(0, limits.reapedAttemptsAskedMax)) {
      of.set(attemptId, await askTasks(client, attemptId, tasksOf.get(attemptId) ?? []));
    }
    return { of, failure: open.length > limits.reapedAttemptsAskedMax ? tooMany : undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { of, failure: error };
  }
}

const tooMany = new Failure(
  'too_many_attempts',
  `Processes name more attempts than are asked about (${limits.reapedAttemptsAskedMax}).`,
  'Run it again when these have ended.',
);

async function askTasks(
  client: Client,
  attemptId: string,
  taskIds: Iterable<string>,
): Promise<Standing> {
  for (const taskId of taskIds) {
    try {
      const path = `/api/v1/tasks/${encodeURIComponent(taskId)}`;
      const { attemptList } = await client.get(path, task);
      const found = attemptList.find((it) => it.attemptId === attemptId);
      if (typeof found?.endedAt === 'string') return 'ended';
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return 'unknown';
}

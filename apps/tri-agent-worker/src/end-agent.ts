import { basename } from 'node:path';
import { limits } from '#kernel/limits.js';
import { endTrees, type EndedProcess } from '#platform/process-trees.js';
import type { HostProcess, ProcessIdentity } from '#platform/processes.js';
import type { AgentEnclosure } from './containment/enclosure.js';

/** What is known of an agent that is to end. */
export interface AgentToEnd {
  readonly attemptId: string;
  /** Undefined where it is not known, or had ended already. */
  readonly identity: ProcessIdentity | undefined;
  readonly enclosure: AgentEnclosure;
  readonly graceMs?: number;
}

/** What came of ending an agent. */
export interface AgentEnd {
  /** All that was found of it, with how each ended. */
  readonly processes: readonly EndedProcess[];
  /** What runs all the same. Their names are as hostile as whoever started them. */
  readonly survivors: readonly Survivor[];
  /** Whether it was seen that nothing runs any more. */
  readonly isVerified: boolean;
}

export interface Survivor {
  readonly pid: number;
  readonly name: string;
}

/** Ends an agent and all that it has started: TERM, a grace, KILL; seen to be gone. */
export async function endAgent({
  attemptId,
  identity,
  enclosure,
  graceMs = limits.processGraceMs,
}: AgentToEnd): Promise<AgentEnd> {
  const roots = {
    processes: identity === undefined ? [] : [identity],
    attemptIds: attemptId === '' ? [] : [attemptId],
  };
  const processes = await endTrees(roots, { enclosure, graceMs });
  const survivors = processes
    .filter(({ ending }) => ending !== 'ended' && ending !== 'killed')
    .map(({ process }) => ({ pid: process.pid, name: nameOf(process) }));
  const isVerified = survivors.length === 0 && enclosure.isEmpty();
  if (isVerified) await enclosure.remove();
  return { processes, survivors, isVerified };
}

/** For whoever looks at the worker. */
export function survivorsText(survivors: readonly Survivor[]): string {
  const named = survivors.map(({ pid, name }) => `${pid} (${name})`).join(', ');
  return named === '' ? 'what holds its agent is not empty.' : `these still run: ${named}.`;
}

function nameOf({ executable, arguments: [first = ''] }: HostProcess): string {
  return basename(executable ?? first);
}

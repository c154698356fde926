import { limits } from '#kernel/limits.js';
import { keyOf, type EndedProcess, type Ending } from '#platform/process-trees.js';
import type { HostProcess } from '#platform/processes.js';
import type { Output } from '../output.js';
import { formatDuration, formatTime } from '../render/times.js';
import { tableLines, type Column } from '../render/table.js';
import { clean, clip } from '#platform/harmless-text.js';
import { agentProgramOf } from './agent-program.js';
import type { Plan, Target, Why } from './plan.js';

type Done = Ending | 'would-be-ended' | 'left' | 'runs-this';

/** A process that was found, and what was done. */
export interface Item {
  readonly pid: number;
  readonly startedAt: string;
  readonly ageMs: number;
  readonly agent: string | null;
  /** One harmless line. */
  readonly command: string;
  readonly taskId: string | null;
  readonly attemptId: string | null;
  readonly why: Why;
  readonly done: Done;
}

/** @param ended what was ended; absent where nothing has been yet. */
export function itemsOf({ targets }: Plan, now: Date, ended?: readonly EndedProcess[]): Item[] {
  const endings = new Map(ended?.map(({ process, ending }) => [keyOf(process), ending]));
  const planned = new Set<string>();
  const items = targets.flatMap((target) =>
    target.processes.map((process) => {
      planned.add(keyOf(process));
      return itemOf(process, target, now, doneWith(target, endings.get(keyOf(process)), ended));
    }),
  );
  // What came to be, or to light, while its tree was ended.
  const later = (ended ?? []).flatMap(({ process, ending }) => {
    const target = planned.has(keyOf(process)) ? undefined : targetOf(process, targets);
    return target === undefined ? [] : [itemOf(process, target, now, ending)];
  });
  return [...items, ...later];
}

function doneWith(
  { fate }: Target,
  ending: Ending | undefined,
  ended: readonly EndedProcess[] | undefined,
): Done {
  if (fate === 'leave') return 'left';
  if (fate === 'runs-this') return 'runs-this';
  // Nothing is told of what had ended by itself before.
  return ending ?? (ended === undefined ? 'would-be-ended' : 'ended');
}

function targetOf(process: HostProcess, targets: readonly Target[]): Target | undefined {
  const ending = targets.filter(({ fate }) => fate === 'end');
  return (
    ending.find(({ attemptId }) => attemptId !== null && attemptId === process.attemptId) ??
    ending.find(({ processes }) => processes.some(({ pid }) => pid === process.parentPid)) ??
    ending[0]
  );
}

function itemOf(process: HostProcess, target: Target, now: Date, done: Done): Item {
  const { pid, startedAt } = process;
  const { attemptId, taskId, why } = target;
  return {
    pid,
    startedAt: startedAt.toISOString(),
    ageMs: Math.max(0, now.getTime() - startedAt.getTime()),
    agent: agentProgramOf(process) ?? null,
    command: clip(clean(process.arguments.join(' ')), limits.lineCharactersMax),
    ...{ taskId, attemptId, why, done },
  };
}

const whys: Readonly<Record<Why, string>> = {
  'attempt-ended': 'its attempt has ended',
  'attempt-too-old': 'its attempt runs for too long',
  'attempt-unknown': 'the server does not say it has ended',
  'server-not-asked': 'the server could not be asked',
  'agent-too-old': 'old, and of no attempt',
};
const dones: Readonly<Record<Done, string>> = {
  'would-be-ended': 'would be ended',
  ended: 'ended',
  killed: 'killed',
  remains: 'STILL RUNS',
  'not-allowed': "another user's",
  protected: 'this command runs in it',
  'runs-this': 'left: this command runs in it',
  left: 'left alone',
};

export function showItems(items: readonly Item[], output: Output): void {
  if (items.length === 0) return;
  const columns: Column<Item>[] = [
    { head: 'PID', cell: ({ pid }) => String(pid), align: 'right' },
    { head: 'STARTED', cell: ({ startedAt }) => formatTime(startedAt), dispensable: 3 },
    { head: 'AGE', cell: ({ ageMs }) => formatDuration(ageMs), align: 'right' },
    { head: 'COMMAND', cell: ({ command }) => withoutFolders(command) },
    { head: 'TASK', cell: ({ taskId }) => taskId ?? '', dispensable: 2 },
    { head: 'ATTEMPT', cell: ({ attemptId }) => attemptId ?? '', dispensable: 1 },
    { head: 'WHY', cell: ({ why }) => whys[why] },
    { head: 'DONE', cell: ({ done }) => dones[done], style: ({ done }) => styles[done] },
  ];
  output.lines(...tableLines(columns, items, output.paint, output.io.size?.().columns));
}

/** There is room for the names of a program and its script, not for where they lie. */
function withoutFolders(command: string): string {
  return command.replace(/(^| )\/\S*\/(?=\S)/g, '$1');
}

const styles: Readonly<Partial<Record<Done, 'red' | 'yellow' | 'dim'>>> = {
  'would-be-ended': 'yellow',
  remains: 'red',
  'not-allowed': 'red',
  left: 'dim',
};

/** What runs although it should have ended. */
export function failed({ done }: Item): boolean {
  return done === 'remains' || done === 'not-allowed' || done === 'protected';
}

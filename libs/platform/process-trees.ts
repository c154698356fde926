import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import {
  isProtected,
  listProcesses,
  sameProcess,
  signalIfSame,
  type HostProcess,
  type ProcessIdentity,
} from './processes.js';

/** Where trees begin: at these processes, and at all that name one of these attempts. */
export interface TreeRoots {
  readonly processes: readonly ProcessIdentity[];
  readonly attemptIds?: readonly string[];
}

/** Processes that no tree takes in, nor what is below them. */
export type Spares = (process: HostProcess) => boolean;
const sparesNone: Spares = () => false;

/**
 * The roots, their descendants, what carries an attempt's id wherever it has got to (children of a
 * parent that has ended belong to the first process of the host), and what is in a process group or
 * session that one of these leads. Parents before children.
 */
export function treeIn(
  all: readonly HostProcess[],
  roots: TreeRoots,
  spares: Spares = sparesNone,
): HostProcess[] {
  const wanted = new Set(roots.processes.map(keyOf));
  const attempts = new Set<string | undefined>(roots.attemptIds);
  const isRoot = (it: HostProcess) => wanted.has(keyOf(it)) || attempts.has(it.attemptId);
  const below = new Map<number, HostProcess[]>();
  for (const it of all) {
    for (const leader of new Set([it.parentPid, it.groupId, it.sessionId])) {
      const led = below.get(leader);
      if (led === undefined) below.set(leader, [it]);
      else led.push(it);
    }
  }
  const members = new Set(all.filter((it) => isRoot(it) && !spares(it)));
  // A set that grows is gone through to its new end.
  for (const { pid } of members) {
    // Everything is below the first process.
    if (pid <= 1) continue;
    for (const it of below.get(pid) ?? []) if (!spares(it)) members.add(it);
  }
  // No process starts before its parent.
  return [...members].sort(
    (one, other) => one.startedAt.getTime() - other.startedAt.getTime() || one.pid - other.pid,
  );
}

/** The tree of a process with all that is of the same attempt; empty when it has ended. */
export async function treeOf(pid: number): Promise<HostProcess[]> {
  const all = await listProcesses();
  const root = all.find((it) => it.pid === pid);
  if (root === undefined) return [];
  const attemptIds = root.attemptId === undefined ? [] : [root.attemptId];
  return treeIn(all, { processes: [root], attemptIds });
}

/**
 * How a process ended: `ended` after TERM, `killed` when it did not heed that. `remains`: it runs all
 * the same; `not-allowed`: it is another user's; `protected`: this process or one above it.
 */
export type Ending = 'ended' | 'killed' | 'remains' | 'not-allowed' | 'protected';

export interface EndedProcess {
  readonly process: HostProcess;
  readonly ending: Ending;
}

export interface EndOptions {
  readonly spares?: Spares;
  /** How long after TERM comes KILL. */
  readonly graceMs?: number;
  /** Once it is aborted, nothing more is signalled. */
  readonly signal?: AbortSignal | undefined;
  readonly list?: () => Promise<readonly HostProcess[]>;
}

/**
 * Ends trees: TERM to each process, KILL after the grace to what is left, and to what it has started
 * meanwhile. A process counts as ended when it was seen to be gone.
 */
export async function endTrees(
  roots: TreeRoots,
  options: EndOptions = {},
): Promise<EndedProcess[]> {
  const tree = new EndingTree(roots, options);
  await tree.look();
  tree.askToEnd();
  await tree.untilGone(options.graceMs ?? limits.processGraceMs);
  const lastMs = performance.now() + limits.processKillMs;
  // What is killed may have started others just before: until none is found.
  while ((await tree.look()) > 0 && performance.now() < lastMs && !options.signal?.aborted) {
    tree.kill();
    await tree.untilGone(lastMs - performance.now());
  }
  return tree.report();
}

class EndingTree {
  readonly #seen = new Map<string, HostProcess>();
  readonly #endings = new Map<string, Ending>();

  constructor(
    private readonly roots: TreeRoots,
    private readonly options: EndOptions,
  ) {}

  /** Looks for members, also for new ones. @returns how many of them can and should still end. */
  async look(): Promise<number> {
    const all = await (this.options.list ?? listProcesses)();
    const processes = [...this.roots.processes, ...this.#seen.values()];
    const grown = { ...this.roots, processes };
    for (const it of treeIn(all, grown, this.options.spares)) this.#seen.set(keyOf(it), it);
    return this.#alive().length;
  }

  askToEnd(): void {
    for (const it of this.#alive()) this.#signal(it, 'SIGTERM', 'ended');
  }

  kill(): void {
    for (const it of this.#alive()) this.#signal(it, 'SIGKILL', 'killed');
  }

  async untilGone(withinMs: number): Promise<void> {
    const lastMs = performance.now() + withinMs;
    while (
      this.#alive().length > 0 &&
      performance.now() < lastMs &&
      !this.options.signal?.aborted
    ) {
      await wait(limits.processPollMs);
    }
  }

  report(): EndedProcess[] {
    return [...this.#seen].map(([key, process]) => {
      const said = this.#endings.get(key);
      if (said === 'protected' || said === 'not-allowed') return { process, ending: said };
      return { process, ending: sameProcess(process) ? 'remains' : (said ?? 'ended') };
    });
  }

  #signal(it: HostProcess, signal: NodeJS.Signals, ending: Ending): void {
    if (this.options.signal?.aborted) return;
    const answer = signalIfSame(it, signal);
    if (answer === 'sent') this.#endings.set(keyOf(it), ending);
    else if (answer !== 'gone') this.#endings.set(keyOf(it), answer);
  }

  #alive(): HostProcess[] {
    return [...this.#seen.values()].filter((it) => {
      const said = this.#endings.get(keyOf(it));
      return said !== 'protected' && said !== 'not-allowed' && sameProcess(it);
    });
  }
}

export function keyOf({ pid, startMark }: ProcessIdentity): string {
  return `${pid} ${startMark}`;
}

/** Those of them that would not be signalled: this process, and those above it. */
export function protectedAmong(processes: readonly HostProcess[]): HostProcess[] {
  return processes.filter(({ pid }) => isProtected(pid));
}

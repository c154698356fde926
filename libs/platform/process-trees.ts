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
  /** Of processes that were listed, each of which is a root by the word of an enclosure. */
  readonly pids?: readonly number[];
}

/** What holds processes together, also those that hide from their tree. */
export interface Enclosure {
  /**
   * Of what is in it, as far as it tells; in no order. It is asked after the processes of the host were
   * listed: then a pid that both name is that of the process listed, unless that one has ended since.
   */
  pids(): readonly number[];
  /** Whether a process only holds it up: no signal is for those, and they end with the enclosure. */
  isKeeper(process: HostProcess): boolean;
  /** Kills all that is in it, also what is just being started. */
  kill(): void;
  /** False while anything is known to run in it. */
  isEmpty(): boolean;
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
  const pids = new Set(roots.pids);
  const isRoot = (it: HostProcess) =>
    wanted.has(keyOf(it)) || attempts.has(it.attemptId) || pids.has(it.pid);
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
  /** What is in it ends, too. */
  readonly enclosure?: Enclosure;
  /** How long after TERM comes KILL. */
  readonly graceMs?: number;
  /** Once it is aborted, nothing more is signalled. */
  readonly signal?: AbortSignal | undefined;
  readonly list?: () => Promise<readonly HostProcess[]>;
}

/**
 * Ends trees: TERM to each process, KILL after the grace to what is left, and to what it has started
 * meanwhile. A process counts as ended when it was seen to be gone.
 * @returns how each ended that was found, but for what only held up an enclosure and is gone.
 */
export async function endTrees(
  roots: TreeRoots,
  options: EndOptions = {},
): Promise<EndedProcess[]> {
  const tree = new EndingTree(roots, options);
  await tree.look();
  const graceEndsMs = performance.now() + (options.graceMs ?? limits.processGraceMs);
  // What is asked to end may start others first: these are asked as well.
  do {
    tree.askToEnd();
    await tree.waitUntil(() => tree.hasEnded(), graceEndsMs);
    await tree.look();
  } while (!tree.hasEnded() && tree.mayGoOn(graceEndsMs));
  const lastMs = performance.now() + limits.processKillMs;
  // What is killed may have started others just before: until none is found.
  while (!tree.isGone() && tree.mayGoOn(lastMs)) {
    tree.kill();
    await tree.waitUntil(() => tree.isGone(), lastMs);
    await tree.look();
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

  /** Looks for members, also for new ones. */
  async look(): Promise<void> {
    const { list = listProcesses, enclosure, spares } = this.options;
    const all = await list();
    const processes = [...this.roots.processes, ...this.#seen.values()];
    const grown = { ...this.roots, processes, pids: enclosure?.pids() ?? [] };
    for (const it of treeIn(all, grown, spares)) this.#seen.set(keyOf(it), it);
  }

  askToEnd(): void {
    for (const it of this.#alive()) {
      if (!this.#isKeeper(it)) this.#signal(it, 'SIGTERM', 'ended');
    }
  }

  kill(): void {
    if (this.options.signal?.aborted) return;
    const alive = this.#alive();
    this.options.enclosure?.kill();
    for (const it of alive) {
      if (this.#isKeeper(it)) continue;
      // Gone: the enclosure has done it.
      this.#signal(it, 'SIGKILL', 'killed');
      if (!sameProcess(it)) this.#endings.set(keyOf(it), 'killed');
    }
  }

  /** Nothing that was seen runs, but for what holds up the enclosure. */
  hasEnded(): boolean {
    return !this.#some((it) => !this.#isKeeper(it) && this.#mayEnd(it));
  }

  isGone(): boolean {
    return !this.#some((it) => this.#mayEnd(it)) && (this.options.enclosure?.isEmpty() ?? true);
  }

  mayGoOn(untilMs: number): boolean {
    return performance.now() < untilMs && this.options.signal?.aborted !== true;
  }

  async waitUntil(holds: () => boolean, untilMs: number): Promise<void> {
    while (!holds() && this.mayGoOn(untilMs)) await wait(limits.processPollMs);
  }

  report(): EndedProcess[] {
    return [...this.#seen.values()]
      .filter((it) => sameProcess(it) || !this.#isKeeper(it))
      .map((process) => ({ process, ending: this.#endingOf(process) }));
  }

  #endingOf(process: HostProcess): Ending {
    const said = this.#endings.get(keyOf(process)) ?? 'ended';
    const wasLeft = said === 'protected' || said === 'not-allowed';
    if (sameProcess(process)) return wasLeft ? said : 'remains';
    return wasLeft ? 'ended' : said;
  }

  #isKeeper(it: HostProcess): boolean {
    return this.options.enclosure?.isKeeper(it) ?? false;
  }

  #signal(it: HostProcess, signal: NodeJS.Signals, ending: Ending): void {
    if (this.options.signal?.aborted) return;
    const answer = signalIfSame(it, signal);
    if (answer === 'sent') this.#endings.set(keyOf(it), ending);
    else if (answer !== 'gone') this.#endings.set(keyOf(it), answer);
  }

  #alive(): HostProcess[] {
    return [...this.#seen.values()].filter((it) => this.#mayEnd(it));
  }

  /** Asks no further than the first, for each is looked at. */
  #some(is: (it: HostProcess) => boolean): boolean {
    for (const it of this.#seen.values()) if (is(it)) return true;
    return false;
  }

  /** It runs, and may be signalled. */
  #mayEnd(it: HostProcess): boolean {
    const said = this.#endings.get(keyOf(it));
    return said !== 'protected' && said !== 'not-allowed' && sameProcess(it);
  }
}

export function keyOf({ pid, startMark }: ProcessIdentity): string {
  return `${pid} ${startMark}`;
}

/** Those of them that would not be signalled: this process, and those above it. */
export function protectedAmong(processes: readonly HostProcess[]): HostProcess[] {
  return processes.filter(({ pid }) => isProtected(pid));
}

import type { HostProcess } from '#platform/processes.js';
import { keyOf, protectedAmong, treeIn, type TreeRoots } from '#platform/process-trees.js';
import { agentProgramOf } from './agent-program.js';
import type { Standing } from './standings.js';

export type Why =
  'attempt-ended' | 'attempt-too-old' | 'attempt-unknown' | 'server-not-asked' | 'agent-too-old';
/** What is to become of it: ended, left to a person, or left alone because this command runs in it. */
type Fate = 'end' | 'leave' | 'runs-this';

/** Processes that belong together, and what is to become of them. */
export interface Target {
  readonly why: Why;
  readonly fate: Fate;
  readonly attemptId: string | null;
  readonly taskId: string | null;
  readonly processes: readonly HostProcess[];
}

export interface Plan {
  readonly targets: readonly Target[];
  /** What goes on as it should. */
  readonly running: { readonly attempts: number; readonly processes: number };
}

export interface Question {
  readonly standings: ReadonlyMap<string, Standing>;
  readonly nowMs: number;
  readonly olderThanMs: number;
  readonly allAgents: boolean;
}

/** What is to become of the processes of a host. */
export function planReap(all: readonly HostProcess[], question: Question): Plan {
  const planning = new Planning(all, question);
  const targets: Target[] = [];
  const running = { attempts: 0, processes: 0 };
  for (const attemptId of question.standings.keys()) {
    const why = planning.whyOf(attemptId);
    const target = planning.attempt(attemptId, why ?? 'attempt-unknown');
    if (why !== undefined) targets.push(target);
    else {
      running.attempts += 1;
      running.processes += target.processes.length;
    }
  }
  targets.push(...planning.agents());
  return { targets, running };
}

/** Where trees that are to end begin. */
export function rootsToEnd({ targets }: Plan): TreeRoots {
  const wanted = targets.filter(({ fate }) => fate === 'end');
  return {
    processes: wanted.flatMap(({ processes }) => processes),
    attemptIds: wanted.flatMap(({ attemptId }) => attemptId ?? []),
  };
}

/** A process of an attempt that is not to end stays, also below one that is. */
export function sparedBy({ attemptIds = [] }: TreeRoots): (process: HostProcess) => boolean {
  const ending = new Set(attemptIds);
  return ({ attemptId }) => attemptId !== undefined && !ending.has(attemptId);
}

class Planning {
  readonly #taken = new Set<string>();
  readonly #spares: (process: HostProcess) => boolean;

  constructor(
    private readonly all: readonly HostProcess[],
    private readonly question: Question,
  ) {
    const attemptIds = [...question.standings.keys()].filter((id) => ends(this.whyOf(id)));
    this.#spares = sparedBy({ processes: [], attemptIds });
  }

  /** Undefined: it runs as it should. */
  whyOf(attemptId: string): Why | undefined {
    const standing = this.question.standings.get(attemptId);
    if (standing === 'ended') return 'attempt-ended';
    if (standing === 'unknown') return 'attempt-unknown';
    if (standing !== 'runs') return 'server-not-asked';
    // It is as old as the oldest process that names it.
    const isOld = this.all.some((it) => it.attemptId === attemptId && this.#isOld(it));
    return isOld ? 'attempt-too-old' : undefined;
  }

  attempt(attemptId: string, why: Why): Target {
    const attemptIds = [attemptId];
    const named = this.all.find((it) => it.attemptId === attemptId && it.taskId !== undefined);
    const spares = ends(why) ? this.#spares : sparedBy({ processes: [], attemptIds });
    const tree = treeIn(this.all, { processes: [], attemptIds }, spares);
    return this.#target(why, ends(why), { attemptId, taskId: named?.taskId ?? null }, tree);
  }

  /** Agents of no attempt that are old: what people started. The outermost come first. */
  agents(): Target[] {
    const { allAgents } = this.question;
    const of = { attemptId: null, taskId: null };
    return this.all
      .filter((it) => it.attemptId === undefined && this.#isOld(it))
      .filter((it) => agentProgramOf(it) !== undefined)
      .sort((one, other) => one.startedAt.getTime() - other.startedAt.getTime())
      .flatMap((agent) => {
        if (this.#taken.has(keyOf(agent))) return [];
        const roots = { processes: [agent] };
        const tree = allAgents ? treeIn(this.all, roots, this.#spares) : [agent];
        return [this.#target('agent-too-old', allAgents, of, tree)];
      });
  }

  #isOld({ startedAt }: HostProcess): boolean {
    return this.question.nowMs - startedAt.getTime() > this.question.olderThanMs;
  }

  /** Each process is of one target alone. */
  #target(
    why: Why,
    isToEnd: boolean,
    of: Pick<Target, 'attemptId' | 'taskId'>,
    tree: readonly HostProcess[],
  ): Target {
    const processes = tree.filter((it) => !this.#taken.has(keyOf(it)));
    for (const it of processes) this.#taken.add(keyOf(it));
    const runsThis = protectedAmong(tree).length > 0;
    return { why, fate: !isToEnd ? 'leave' : runsThis ? 'runs-this' : 'end', ...of, processes };
  }
}

function ends(why: Why | undefined): boolean {
  return why === 'attempt-ended' || why === 'attempt-too-old';
}

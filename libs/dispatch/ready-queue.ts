import type { TaskSpec } from './commands.js';

/** All that gates look at in a task: tasks of one kind may be claimed at the same times. */
export type TaskKind = Pick<
  TaskSpec,
  'lane' | 'shard' | 'agent' | 'model' | 'team' | 'project' | 'reserveNanoUsd'
>;

export interface ReadyTask {
  readonly taskId: string;
  /** When its turn is; see `dueMsOf`. */
  readonly dueMs: number;
  /** Decides between tasks that are due at once: the one that was submitted first. */
  readonly order: number;
}

function isBefore(a: ReadyTask, b: ReadyTask): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** Tasks of one kind, the next one at hand. Reading changes nothing. */
class Line {
  private readonly heap: ReadyTask[] = [];
  private readonly present = new Map<string, ReadyTask>();

  get length(): number {
    return this.present.size;
  }

  get head(): ReadyTask | undefined {
    return this.heap[0];
  }

  put(task: ReadyTask): void {
    this.present.set(task.taskId, task);
    this.push(task);
  }

  /** What is taken from the middle stays in the heap until it comes up, or is half of it. */
  take(taskId: string): void {
    this.present.delete(taskId);
    for (let top = this.heap[0]; top && this.present.get(top.taskId) !== top; top = this.heap[0]) {
      this.pop();
    }
    if (this.heap.length > 64 && this.heap.length > 2 * this.present.size) {
      this.heap.length = 0;
      for (const task of this.present.values()) this.push(task);
    }
  }

  /** How many are before this one. Looks at all of them. */
  ahead(task: ReadyTask): number {
    return [...this.present.values()].filter((other) => isBefore(other, task)).length;
  }

  get(taskId: string): ReadyTask | undefined {
    return this.present.get(taskId);
  }

  private push(task: ReadyTask): void {
    const { heap } = this;
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(task, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = task;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = 2 * index + (isRight ? 2 : 1);
    }
    heap[index] = last;
  }
}

/** What may be read of the queue; only `evolve` changes it. */
export interface ReadyView {
  readonly length: number;
  /** One for each kind of which there is a task: the one whose turn it is. */
  heads(): Iterable<{ readonly kind: TaskKind; readonly head: ReadyTask }>;
  /** How many of the same kind are before this one; undefined when it is not here. */
  aheadInLine(taskId: string): number | undefined;
}

/**
 * The tasks that nothing but gates and free workers keeps from being claimed. Gates see only the kind
 * of a task, so a claim looks at one task of each kind, however many there are.
 */
export class ReadyQueue implements ReadyView {
  private readonly lines = new Map<string, { readonly kind: TaskKind; readonly line: Line }>();
  private readonly lineOf = new Map<string, string>();

  get length(): number {
    return this.lineOf.size;
  }

  put(kind: TaskKind, task: ReadyTask): void {
    const key = keyOf(kind);
    let entry = this.lines.get(key);
    if (entry === undefined) this.lines.set(key, (entry = { kind, line: new Line() }));
    entry.line.put(task);
    this.lineOf.set(task.taskId, key);
  }

  take(taskId: string): void {
    const key = this.lineOf.get(taskId);
    if (key === undefined) return;
    this.lineOf.delete(taskId);
    const entry = this.lines.get(key);
    entry?.line.take(taskId);
    if (entry?.line.length === 0) this.lines.delete(key);
  }

  *heads(): Generator<{ kind: TaskKind; head: ReadyTask }> {
    for (const { kind, line } of this.lines.values()) {
      if (line.head !== undefined) yield { kind, head: line.head };
    }
  }

  aheadInLine(taskId: string): number | undefined {
    const line = this.lines.get(this.lineOf.get(taskId) ?? '')?.line;
    const task = line?.get(taskId);
    return line === undefined || task === undefined ? undefined : line.ahead(task);
  }
}

export function kindOf(task: TaskKind): TaskKind {
  const { lane, shard, agent, model, team, project, reserveNanoUsd } = task;
  return { lane, shard, agent, model, team, project, reserveNanoUsd };
}

/** The same for tasks of one kind. */
export function keyOf({
  lane,
  shard,
  agent,
  model,
  team,
  project,
  reserveNanoUsd,
}: TaskKind): string {
  return JSON.stringify([lane, shard, agent, model, team, project, reserveNanoUsd]);
}

import type { TaskSpec } from './commands.js';
import { Heap } from './heap.js';

/** All that gates look at in a task: tasks of one kind may be claimed at the same times. */
export interface TaskKind extends Pick<
  TaskSpec,
  'lane' | 'shard' | 'agent' | 'model' | 'team' | 'project' | 'reserveNanoUsd'
> {
  /** Where the conversation is that it carries on; null = any host will do. */
  readonly host: string | null;
}

export interface ReadyTask {
  readonly taskId: string;
  /** When its turn is; see `dueMsOf`. */
  readonly dueMs: number;
  /** Decides between tasks that are due at once: the one that was submitted first. */
  readonly order: number;
}

export interface DelayedTask extends ReadyTask {
  readonly kind: TaskKind;
  /** From when on it is as good as ready. */
  readonly notBeforeMs: number;
}

interface Line {
  readonly kind: TaskKind;
  readonly tasks: Heap<ReadyTask>;
}

/** What may be read of the queue; only `evolve` changes it. */
export interface ReadyView {
  /** Tasks that are ready, without those that were delayed. */
  readonly length: number;
  /** One for each kind of which a task may be claimed at this time: the one whose turn it is. */
  heads(nowMs: number): Iterable<{ readonly kind: TaskKind; readonly head: ReadyTask }>;
  /** How many of the same kind are before this one; undefined when it is not here at this time. */
  aheadInLine(taskId: string, nowMs: number): number | undefined;
}

/**
 * The tasks that nothing but gates, free workers and time keeps from being claimed. Gates see only the
 * kind of a task, so a claim looks at one task of each kind, however many there are.
 *
 * Who reads says what time it is. The queue remembers up to when it has let delayed tasks into their
 * lines, so that each goes in once and not at every claim. That shows in no answer: asked about a time
 * before, it takes them out again.
 */
export class ReadyQueue implements ReadyView {
  private readonly lines = new Map<string, Line>();
  private readonly lineOf = new Map<string, string>();
  private readonly delayed = new Heap<DelayedTask>(isEarlier);
  /** Those in the lines that were delayed until a time that has come. */
  private readonly due = new Map<string, DelayedTask>();
  private letInUntilMs = 0;

  get length(): number {
    return this.lineOf.size - this.due.size;
  }

  put(kind: TaskKind, task: ReadyTask): void {
    const key = keyOf(kind);
    let line = this.lines.get(key);
    if (line === undefined) {
      this.lines.set(key, (line = { kind, tasks: new Heap<ReadyTask>(isBefore) }));
    }
    line.tasks.put(task);
    this.lineOf.set(task.taskId, key);
  }

  putLater(task: DelayedTask): void {
    if (task.notBeforeMs > this.letInUntilMs) this.delayed.put(task);
    else this.letIn(task);
  }

  take(taskId: string): void {
    this.delayed.take(taskId);
    this.due.delete(taskId);
    const key = this.lineOf.get(taskId);
    if (key === undefined) return;
    this.lineOf.delete(taskId);
    const line = this.lines.get(key);
    line?.tasks.take(taskId);
    if (line?.tasks.length === 0) this.lines.delete(key);
  }

  *heads(nowMs: number): Generator<{ kind: TaskKind; head: ReadyTask }> {
    this.turnTo(nowMs);
    for (const { kind, tasks } of this.lines.values()) {
      if (tasks.head !== undefined) yield { kind, head: tasks.head };
    }
  }

  aheadInLine(taskId: string, nowMs: number): number | undefined {
    this.turnTo(nowMs);
    const tasks = this.lines.get(this.lineOf.get(taskId) ?? '')?.tasks;
    const task = tasks?.get(taskId);
    return tasks === undefined || task === undefined ? undefined : tasks.ahead(task);
  }

  private turnTo(nowMs: number): void {
    if (nowMs < this.letInUntilMs) {
      for (const task of [...this.due.values()].filter((it) => it.notBeforeMs > nowMs)) {
        this.take(task.taskId);
        this.delayed.put(task);
      }
    }
    this.letInUntilMs = nowMs;
    for (let { head } = this.delayed; head && head.notBeforeMs <= nowMs; { head } = this.delayed) {
      this.delayed.take(head.taskId);
      this.letIn(head);
    }
  }

  private letIn(task: DelayedTask): void {
    this.due.set(task.taskId, task);
    this.put(task.kind, task);
  }
}

function isBefore(a: ReadyTask, b: ReadyTask): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

function isEarlier(a: DelayedTask, b: DelayedTask): boolean {
  return a.notBeforeMs < b.notBeforeMs;
}

export function kindOf(task: TaskKind): TaskKind {
  const { lane, shard, agent, model, team, project, reserveNanoUsd, host } = task;
  return { lane, shard, agent, model, team, project, reserveNanoUsd, host };
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
  host,
}: TaskKind): string {
  return JSON.stringify([lane, shard, agent, model, team, project, reserveNanoUsd, host]);
}

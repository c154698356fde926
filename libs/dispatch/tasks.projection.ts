import type { Database } from 'better-sqlite3';
import type { DispatchEventType } from '#eventstore/vocabulary/dispatch.events.js';
import type { DataOf, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Projection } from '#platform/projection.js';
import type { TaskStatus } from './dispatch-state.js';
import { isOnTask, type OnTask } from './task-events.js';
import type { AttemptEnd } from './task.shapes.js';
import { statementsOn, tasksSchema } from './tasks-tables.js';

/** What each event makes of the tables of tasks: what `evolve.decider.ts` makes of the state. */

type Data<T extends DispatchEventType> = DataOf<T>;
type Attempt = Pick<Data<'AttemptStarted'>, 'taskId' | 'fencingToken' | 'atMs'>;

/** What an event is stored with beside its data. */
interface Told {
  readonly at: string;
  readonly version: number;
}

/** What a state has beside its name: all else is null. */
interface Standing {
  readonly fencingToken?: number | null;
  readonly reason?: string;
  readonly halt?: string;
  readonly conversation?: string | null;
  readonly resultHash?: string | null;
  readonly endedAt?: string;
}

const nowhere = {
  fencingToken: null,
  reason: null,
  halt: null,
  conversation: null,
  resultHash: null,
  endedAt: null,
};

class TasksTables {
  private readonly run: ReturnType<typeof statementsOn>;

  constructor(db: Database) {
    this.run = statementsOn(db);
  }

  apply(event: OnTask, told: Told): void {
    const { type, data } = event;
    const { at } = told;
    if (type === 'TaskSubmitted') this.submitted(data, at);
    this.run.note.run({ taskId: data.taskId, version: told.version });
    switch (type) {
      case 'TaskClaimed':
        this.claimed(data, at);
        break;
      case 'AttemptStarted':
        this.run.report.run({ ...data, percent: null, at });
        break;
      case 'ProgressReported':
        this.run.report.run({ ...data, at });
        break;
      case 'AttemptCompleted':
        this.end(data, 'completed', null, at);
        this.completed(data, data.resultHash, data.fencingToken, told);
        break;
      case 'LateResultAdopted':
        this.adopted(data, told);
        break;
      case 'AttemptReleased':
        this.run.forgetConversation.run({ taskId: data.taskId });
        this.end(data, 'released', data.reason, at);
        this.move(data.taskId, 'ready');
        break;
      case 'AttemptFailed':
        this.lost(data, endOf[data.cause], data.error, at);
        break;
      case 'LeaseExpired':
        this.lost(data, 'lease-expired', 'Its worker fell silent.', at);
        break;
      case 'ProgressDeadlineMissed':
        this.lost(data, 'stalled', 'Its agent did not get on.', at);
        break;
      case 'TaskCancelled':
        if (data.becauseOfTaskId !== null) this.run.noteCause.run(data);
        this.leave(data, 'cancelled', at);
        break;
      case 'TaskParked':
        this.leave(data, 'parked', at);
        break;
      case 'TaskRetried':
      case 'TaskReplayed':
        this.run.forgetConversation.run({ taskId: data.taskId });
        this.queue(data.taskId);
        break;
      case 'TaskReprioritised':
        this.run.setLane.run(data);
        break;
      case 'LateResultKept':
        this.run.keepLate.run(data);
        break;
      default:
        this.applyHalt(event, at);
        break;
    }
  }

  private applyHalt({ type, data }: OnTask, at: string): void {
    switch (type) {
      case 'AttemptHaltOrdered':
        this.run.setHalt.run({ taskId: data.taskId, halt: haltOf(data) });
        break;
      case 'AttemptHalted':
        if (data.sessionId !== null) this.run.report.run({ ...data, percent: null, at });
        this.end(data, 'halted', null, at);
        break;
      case 'TaskPaused':
        this.paused(data);
        break;
      case 'TaskResumed':
        this.resumed(data.taskId);
        break;
      default:
        break;
    }
  }

  private submitted(data: Data<'TaskSubmitted'>, at: string): void {
    const { taskId, tags, dependsOn } = data;
    const allowedTools = JSON.stringify(data.allowedTools);
    const lists = {
      tags: JSON.stringify(tags),
      dependsOn: JSON.stringify(dependsOn),
      allowedTools,
    };
    this.run.insertTask.run({ ...data, ...lists, at });
    for (const tag of tags) this.run.insertTag.run({ tag, taskId });
    for (const other of dependsOn) this.run.insertDependency.run({ other, taskId });
    this.queue(taskId);
  }

  /** Ready, or waiting for what it depends on. */
  private queue(taskId: string): void {
    this.move(taskId, this.run.missing.get(taskId) === 0 ? 'ready' : 'waiting');
  }

  private move(taskId: string, state: TaskStatus['is'], standing: Standing = {}): void {
    this.run.move.run({ taskId, state, ...nowhere, ...standing });
  }

  private claimed(data: Data<'TaskClaimed'>, at: string): void {
    const { taskId, fencingToken } = data;
    this.run.insertAttempt.run({ ...data, stolen: Number(data.stolen), at });
    this.run.countClaim.run({ taskId, at });
    this.move(taskId, 'running', { fencingToken });
  }

  private paused(data: Data<'TaskPaused'>): void {
    const { taskId, reason } = data;
    const conversation = data.conversation && JSON.stringify(data.conversation);
    this.move(taskId, 'paused', { reason, halt: haltOf(data), conversation });
  }

  /** While it runs, it is only that the order to halt it does not stand any more. */
  private resumed(taskId: string): void {
    if (this.run.running.get(taskId) === undefined) this.queue(taskId);
    else this.run.setHalt.run({ taskId, halt: null });
  }

  private end(
    { fencingToken, atMs }: Attempt,
    ended: AttemptEnd,
    error: string | null,
    at: string,
  ): void {
    this.run.endAttempt.run({ fencingToken, atMs, ended, error, at });
  }

  private lost(data: Attempt, ended: AttemptEnd, error: string, at: string): void {
    this.end(data, ended, error, at);
    this.move(data.taskId, 'delayed', { reason: error });
  }

  private adopted({ taskId, attemptId }: Data<'LateResultAdopted'>, told: Told): void {
    const resultHash = this.run.late.get(taskId, attemptId) ?? null;
    const fencingToken = this.run.tokenOf.get(attemptId, taskId) ?? null;
    this.completed({ taskId }, resultHash, fencingToken, told);
  }

  private completed(
    { taskId }: Pick<Attempt, 'taskId'>,
    resultHash: string | null,
    fencingToken: number | null,
    { at, version }: Told,
  ): void {
    this.move(taskId, 'completed', { fencingToken, resultHash, endedAt: at });
    for (const dependent of this.run.waiting.all(taskId)) {
      this.run.note.run({ taskId: dependent, version });
      this.queue(dependent);
    }
  }

  /** Cancelled or parked, from wherever it was. */
  private leave(
    { taskId, reason, atMs }: Pick<Data<'TaskParked'>, 'taskId' | 'reason' | 'atMs'>,
    state: 'cancelled' | 'parked',
    at: string,
  ): void {
    const fencingToken = this.run.running.get(taskId);
    if (fencingToken !== undefined) this.end({ taskId, fencingToken, atMs }, state, reason, at);
    this.move(taskId, state, { reason, endedAt: at });
  }
}

function haltOf({ how, reason, holder }: Omit<Data<'TaskPaused'>, 'conversation'>): string {
  return JSON.stringify({ how, reason, holder });
}

const endOf = {
  error: 'failed',
  provider: 'failed',
  'cool-down': 'cooled-down',
  timeout: 'timeout',
} as const satisfies Record<Data<'AttemptFailed'>['cause'], AttemptEnd>;

function prepare(db: Database): (event: RecordedDomainEvent) => void {
  const tables = new TasksTables(db);
  return (event) => {
    if (!isOnTask(event)) return;
    tables.apply(event, { at: event.metadata.occurredAt, version: event.version });
  };
}

export const tasksProjection: Projection = {
  name: 'tasks',
  version: 2,
  tables: ['tasks', 'task_tags', 'task_dependents', 'task_events', 'task_attempts'],
  schema: tasksSchema,
  prepare,
};

import { Injectable } from '@nestjs/common';
import { EventLog } from '#eventstore/src/log.js';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { Clock } from '#platform/clock.js';
import { ReadModels } from '#platform/read-models.js';
import { Dispatcher, type Order } from './dispatcher.js';
import { explain, type Explanation } from './explain.js';
import type { TaskDetail, TasksQuery, Why } from './task.shapes.js';
import { tasksProjection } from './tasks.projection.js';
import { TasksQueries } from './tasks.queries.js';
import { why } from './why.js';
import { explanationOfEnded } from './why-now.js';

/** Tasks as people see them: whoever changed something sees it changed. */
@Injectable()
export class TaskViews {
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly models: ReadModels,
    private readonly queries: TasksQueries,
    private readonly log: EventLog,
    private readonly clock: Clock,
  ) {}

  async list(query: TasksQuery) {
    await this.upToDate();
    return this.queries.list(query);
  }

  /** @throws {Refusal} `TASK_NOT_FOUND` */
  async show(taskId: string): Promise<TaskDetail> {
    await this.upToDate();
    return this.queries.show(taskId);
  }

  /** Resolves with the task as the order left it. */
  async change(taskId: string, order: Order, actor: string): Promise<TaskDetail> {
    await this.dispatcher.order(order, actor);
    return this.show(taskId);
  }

  /** @throws {Refusal} `TASK_NOT_FOUND` */
  async why(taskId: string): Promise<Why> {
    await this.upToDate();
    const { versions, omitted } = this.queries.versionsOf(taskId);
    const events = await Promise.all(
      versions.map(async (version) => (await this.log.read(DISPATCH_STREAM, version - 1, 1))[0]),
    );
    const clocks = { nowMs: this.dispatcher.nowMs, wallNowMs: this.clock.now() };
    const explanation = await this.explanationOf(taskId);
    return why({ explanation, events: events as RecordedDomainEvent[], omitted, ...clocks });
  }

  private async explanationOf(taskId: string): Promise<Explanation> {
    const { dispatcher } = this;
    const state = await dispatcher.state();
    const ended = state.tasks.has(taskId)
      ? undefined
      : explanationOfEnded(this.queries.show(taskId));
    return ended ?? explain(state, taskId, dispatcher.nowMs, dispatcher.budgetReadings());
  }

  private upToDate(): Promise<void> {
    const { position } = this.dispatcher;
    return this.models.reached(tasksProjection, position, limits.writtenVisibleMs);
  }
}

import { Injectable } from '@nestjs/common';
import { limits } from '#kernel/limits.js';
import { ReadModels } from '#platform/read-models.js';
import { Dispatcher, type Order } from './dispatcher.js';
import type { TaskDetail, TasksQuery } from './task.shapes.js';
import { tasksProjection } from './tasks.projection.js';
import { TasksQueries } from './tasks.queries.js';

/** Tasks as people see them: whoever changed something sees it changed. */
@Injectable()
export class TaskViews {
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly models: ReadModels,
    private readonly queries: TasksQueries,
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
  async change(order: Order & { readonly taskId: string }, actor: string): Promise<TaskDetail> {
    await this.dispatcher.order(order, actor);
    return this.show(order.taskId);
  }

  private upToDate(): Promise<void> {
    const { position } = this.dispatcher;
    return this.models.reached(tasksProjection, position, limits.writtenVisibleMs);
  }
}

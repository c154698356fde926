import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { limits } from '#kernel/limits.js';
import { isRefusal, Refusal } from '#kernel/refusal.js';
import { ContentStore } from '#platform/content-store.js';
import { Redactor } from '#platform/redaction.js';
import type { TaskSpec } from './commands.js';
import { Dispatcher } from './dispatcher.js';
import type { Submitted, TaskBody } from './submission.shapes.js';

/** A task as it is wanted, and the name by which others of the batch depend on it. */
export type WantedTask = TaskBody & { readonly key?: string | undefined };

/** Tasks are to be queued: all of them, or none. Answers in their order. */
export class SubmitTasks extends Command<readonly Submitted[]> {
  constructor(
    readonly tasks: readonly WantedTask[],
    readonly actor: string,
  ) {
    super();
  }
}

@CommandHandler(SubmitTasks)
export class SubmitTasksHandler implements ICommandHandler<SubmitTasks> {
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly content: ContentStore,
    private readonly redactor: Redactor,
  ) {}

  async execute({ tasks, actor }: SubmitTasks): Promise<Submitted[]> {
    const specs = specsOf(tasks);
    for (const spec of specs) this.refuseSecrets(spec);
    const order = { type: 'submit', tasks: specs } as const;
    // What would be refused anyway leaves no prompt behind.
    await this.dispatcher.check(order).catch((error: unknown) => {
      throw isRefusal(error) ? inTheirWords(error, specs, tasks) : error;
    });
    for (let first = 0; first < tasks.length; first += limits.contentWritesAtOnceMax) {
      const some = tasks.slice(first, first + limits.contentWritesAtOnceMax);
      await Promise.all(some.map(({ prompt }) => this.content.keep(prompt)));
    }
    const { events, state } = await this.dispatcher.order(order, actor);
    const created = new Set(
      events.flatMap(({ type, data }) => (type === 'TaskSubmitted' ? [data.taskId] : [])),
    );
    return specs.map(({ taskId, idempotencyKey }) => {
      const known = idempotencyKey === null ? undefined : state.taskByKey.get(idempotencyKey);
      return { taskId: known ?? taskId, created: created.has(taskId) };
    });
  }

  /** A task without its secret would be another task, so that nothing is taken out of it silently. */
  private refuseSecrets(spec: TaskSpec): void {
    const [field] =
      Object.entries(spec).find(
        ([name, value]) => name !== 'promptHash' && this.redactor.value(value) !== value,
      ) ?? [];
    if (field === undefined) return;
    const message = `${field} holds what looks like a secret, and is kept in a log for ever. Give secrets to agents through the environment of their worker.`;
    throw new Refusal('BAD_REQUEST', message, { field });
  }
}

/** The ids of tasks that were never queued say nothing to whoever sent them: their keys do. */
function inTheirWords(
  { code, message, details }: Refusal,
  specs: readonly TaskSpec[],
  tasks: readonly WantedTask[],
): Refusal {
  const names = new Map(
    specs.map(({ taskId }, index) => [taskId, tasks[index]?.key ?? `number ${index + 1}`]),
  );
  const named = (text: string): string => {
    let told = text;
    for (const [taskId, name] of names) told = told.replaceAll(taskId, name);
    return told;
  };
  const [toldMessage, toldDetails] = [named(message), named(JSON.stringify(details))];
  return new Refusal(code, toldMessage, JSON.parse(toldDetails) as Refusal['details']);
}

/** @throws {Refusal} `BAD_REQUEST` when two tasks have one key */
function specsOf(tasks: readonly WantedTask[]): TaskSpec[] {
  const ids = tasks.map(() => randomUUID());
  const byKey = new Map<string, string>();
  for (const [index, { key }] of tasks.entries()) {
    if (key === undefined) continue;
    if (byKey.has(key)) {
      throw new Refusal('BAD_REQUEST', `Two tasks have the key ${key}. Give each its own.`, {
        key,
      });
    }
    byKey.set(key, ids[index] ?? '');
  }
  return tasks.map((task, index) => specOf(task, ids[index] ?? '', byKey));
}

function specOf(task: WantedTask, taskId: string, byKey: ReadonlyMap<string, string>): TaskSpec {
  const { agent, lane, shard, size, tags, timeoutMs, prompt } = task;
  return {
    taskId,
    idempotencyKey: task.idempotencyKey ?? null,
    dependsOn: task.dependsOn.map((it) => byKey.get(it) ?? it),
    agent,
    model: task.model ?? null,
    lane,
    shard,
    size,
    team: task.team ?? null,
    project: task.project ?? null,
    tags,
    promptHash: ContentStore.hashOf(prompt),
    directory: task.directory ?? null,
    repository: task.repository ?? null,
    ref: task.ref ?? null,
    permissionMode: task.permissionMode ?? null,
    allowedTools: task.allowedTools,
    maxCostNanoUsd: task.maxCostUsd ?? null,
    attemptsMax: task.retries + 1,
    promptCharacters: prompt.length,
    reserveNanoUsd: task.budgetUsd ?? task.maxCostUsd ?? 0,
    timeoutMs,
  };
}

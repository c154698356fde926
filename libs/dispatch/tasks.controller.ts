import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { lane } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import { text } from '#platform/api-shapes.js';
import type { ApiRoute } from '#platform/openapi.js';
import type { ProblemCode } from '#platform/problem.js';
import { Redactor } from '#platform/redaction.js';
import type { Order } from './dispatcher.js';
import { SubmitTasks } from './submit-tasks.js';
import {
  batchBody,
  submittedBatchShape,
  submittedShape,
  taskBody,
  type BatchBody,
  type Submitted,
  type SubmittedBatch,
  type TaskBody,
} from './submission.shapes.js';
import { TaskViews } from './task-views.js';
import {
  taskDetailShape,
  tasksPage,
  tasksQuery,
  whyShape,
  type TasksQuery,
} from './task.shapes.js';

const taskParams = z.strictObject({ taskId: text });
type TaskParams = z.infer<typeof taskParams>;
const reasonBody = z
  .strictObject({
    reason: z.string().max(limits.freeTextCharactersMax).default(''),
  })
  .prefault({});
type ReasonBody = z.infer<typeof reasonBody>;
const pauseBody = z
  .strictObject({
    reason: z.string().max(limits.freeTextCharactersMax).default(''),
    kill: z.boolean().default(false).describe('At once, instead of at the next pause in its work.'),
  })
  .prefault({});
type PauseBody = z.infer<typeof pauseBody>;
const priorityBody = z.strictObject({ lane });
const adoptBody = z.strictObject({ attemptId: text });

const operator = 'operator:api';
const params = { schema: taskParams };

@Controller('api/v1/tasks')
export class TasksController {
  constructor(
    private readonly commands: CommandBus,
    private readonly views: TaskViews,
    private readonly redactor: Redactor,
  ) {}

  @Post()
  async submit(
    @Body({ schema: taskBody }) body: TaskBody,
    @Headers('idempotency-key') header: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Submitted> {
    const idempotencyKey = body.idempotencyKey ?? keyOf(header);
    const [submitted] = await this.commands.execute(
      new SubmitTasks([{ ...body, idempotencyKey }], operator),
    );
    if (submitted === undefined) throw new Error('A submitted task has an answer.');
    void reply.code(submitted.created ? 201 : 200);
    return submitted;
  }

  @Post('batch')
  async submitBatch(
    @Body({ schema: batchBody }) { tasks }: BatchBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SubmittedBatch> {
    const submitted = await this.commands.execute(new SubmitTasks(tasks, operator));
    const items = submitted.map((it, index) => ({ ...it, key: tasks[index]?.key ?? null }));
    void reply.code(items.some(({ created }) => created) ? 201 : 200);
    return { items };
  }

  @Get()
  list(@Query({ schema: tasksQuery }) query: TasksQuery) {
    return this.views.list(query);
  }

  @Get(':taskId')
  show(@Param(params) { taskId }: TaskParams) {
    return this.views.show(taskId);
  }

  @Get(':taskId/why')
  why(@Param(params) { taskId }: TaskParams) {
    return this.views.why(taskId);
  }

  @Post(':taskId/cancel')
  @HttpCode(200)
  cancel(@Param(params) { taskId }: TaskParams, @Body({ schema: reasonBody }) body: ReasonBody) {
    return this.change({ type: 'cancel', taskId, reason: this.redactor.value(body.reason) });
  }

  @Post(':taskId/park')
  @HttpCode(200)
  park(@Param(params) { taskId }: TaskParams, @Body({ schema: reasonBody }) body: ReasonBody) {
    return this.change({ type: 'park', taskId, reason: this.redactor.value(body.reason) });
  }

  @Post(':taskId/retry')
  @HttpCode(200)
  retry(@Param(params) { taskId }: TaskParams) {
    return this.change({ type: 'retry', taskId });
  }

  @Post(':taskId/replay')
  @HttpCode(200)
  replay(@Param(params) { taskId }: TaskParams) {
    return this.change({ type: 'replay', taskId });
  }

  @Post(':taskId/priority')
  @HttpCode(200)
  prioritise(
    @Param(params) { taskId }: TaskParams,
    @Body({ schema: priorityBody }) body: z.infer<typeof priorityBody>,
  ) {
    return this.change({ type: 'reprioritise', taskId, lane: body.lane });
  }

  @Post(':taskId/adopt')
  @HttpCode(200)
  adopt(
    @Param(params) { taskId }: TaskParams,
    @Body({ schema: adoptBody }) { attemptId }: z.infer<typeof adoptBody>,
  ) {
    return this.change({ type: 'adopt-late-result', taskId, attemptId });
  }

  /** It is carried on by resuming it. */
  @Post(':taskId/pause')
  @HttpCode(200)
  pause(@Param(params) { taskId }: TaskParams, @Body({ schema: pauseBody }) body: PauseBody) {
    const how = body.kill ? 'kill' : 'pause';
    const reason = this.redactor.value(body.reason);
    const order = { type: 'halt', target: { taskId }, how, reason, holder: null } as const;
    return this.views.change(taskId, order, operator);
  }

  @Post(':taskId/resume')
  @HttpCode(200)
  resume(@Param(params) { taskId }: TaskParams, @Body({ schema: reasonBody }) body: ReasonBody) {
    return this.change({ type: 'resume-task', taskId, reason: this.redactor.value(body.reason) });
  }

  private change(order: Order & { readonly taskId: string }) {
    return this.views.change(order.taskId, order, operator);
  }
}

function keyOf(header: string | undefined): string | undefined {
  const key = text.optional().safeParse(header);
  if (key.success) return key.data;
  const field = 'Idempotency-Key';
  const message = `${field}: must have 1 to ${limits.identifierCharactersMax} characters`;
  throw new Refusal('BAD_REQUEST', message, { field });
}

const json = (schema: z.ZodType) => ({ type: 'application/json', schema });
const refused: readonly ProblemCode[] = [
  'CYCLIC_DEPENDENCIES',
  'DEPENDENCY_NOT_FOUND',
  'IDEMPOTENCY_KEY_REUSED',
  'ILLEGAL_MOVE',
  'QUEUE_FULL',
  'TOO_MANY_KINDS',
  'BODY_TOO_LARGE',
  'LOG_UNAVAILABLE',
];
const change = (move: string, summary: string, body: z.ZodType = z.strictObject({})): ApiRoute => ({
  method: 'post',
  path: `/api/v1/tasks/{taskId}/${move}`,
  summary,
  params: taskParams,
  body,
  answer: json(taskDetailShape),
  problems: [
    'TASK_NOT_FOUND',
    'ATTEMPT_NOT_FOUND',
    'ILLEGAL_MOVE',
    'TOO_MANY_KINDS',
    'READ_MODEL_BUILDING',
    'LOG_UNAVAILABLE',
  ],
});

export const tasksRoutes: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/api/v1/tasks',
    summary:
      'Submits a task; 200 when its idempotency key (or the header Idempotency-Key) is known.',
    body: taskBody,
    status: 201,
    answer: json(submittedShape),
    problems: refused,
  },
  {
    method: 'post',
    path: '/api/v1/tasks/batch',
    summary: 'Submits tasks that may depend on each other by their keys: all of them, or none.',
    body: batchBody,
    status: 201,
    answer: json(submittedBatchShape),
    problems: refused,
  },
  {
    path: '/api/v1/tasks',
    summary: 'Tasks, those submitted last first.',
    query: tasksQuery,
    answer: json(tasksPage),
    problems: ['BAD_CURSOR', 'READ_MODEL_BUILDING'],
  },
  {
    path: '/api/v1/tasks/{taskId}',
    summary: 'A task with its attempts.',
    params: taskParams,
    answer: json(taskDetailShape),
    problems: ['TASK_NOT_FOUND', 'READ_MODEL_BUILDING'],
  },
  {
    path: '/api/v1/tasks/{taskId}/why',
    summary:
      'Why a task is where it is: what happened to it, event by event, and what it waits for.',
    params: taskParams,
    answer: json(whyShape),
    problems: ['TASK_NOT_FOUND', 'READ_MODEL_BUILDING'],
  },
  change('cancel', 'Ends a task and what depends on it.', reasonBody),
  change('park', 'Puts a task into the dead letters.', reasonBody),
  change('pause', 'Stops a task so that its conversation can be carried on.', pauseBody),
  change('resume', 'Has a paused task carried on.', reasonBody),
  change(
    'retry',
    'Queues a task now that waits after a failure, is paused or was cancelled; it begins anew.',
  ),
  change('replay', 'Takes a task out of the dead letters, with all its attempts anew.'),
  change('priority', 'Puts a task into another lane.', priorityBody),
  change('adopt', 'Takes what a late attempt brought as the result.', adoptBody),
];

import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import { text } from '#platform/api-shapes.js';
import { callerOf } from '#platform/caller.js';
import { Clock } from '#platform/clock.js';
import { ContentStore } from '#platform/content-store.js';
import type { ApiRoute } from '#platform/openapi.js';
import { Redactor } from '#platform/redaction.js';
import { attemptParams } from './attempts.shapes.js';
import { Dispatcher } from './dispatcher.js';
import { attemptIn } from './move-attempt.js';
import {
  outputBody,
  outputQuery,
  outputShape,
  outputTakenShape,
  resultShape,
  type OutputAnswer,
  type OutputBody,
  type OutputQuery,
} from './output.shapes.js';
import { OutputStore } from './output-store.js';
import { TaskViews } from './task-views.js';
import { actorOf, mustSpeakFor } from './worker-tokens.js';

const taskParams = z.strictObject({ taskId: text });
type TaskParams = z.infer<typeof taskParams>;

/** What agents print and what came of it: content, which is beside the log and not in it. */
@Controller('api/v1')
export class OutputController {
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly outputs: OutputStore,
    private readonly content: ContentStore,
    private readonly redactor: Redactor,
    private readonly views: TaskViews,
    private readonly clock: Clock,
  ) {}

  /** A sign that the agent gets on, too. */
  @Post('attempts/:attemptId/output')
  @HttpCode(200)
  async take(
    @Param({ schema: attemptParams }) { attemptId }: z.infer<typeof attemptParams>,
    @Body({ schema: outputBody }) { fencingToken, pieces }: OutputBody,
    @Req() request: FastifyRequest,
  ): Promise<z.infer<typeof outputTakenShape>> {
    const caller = callerOf(request);
    const { workerId } = attemptIn(await this.dispatcher.state(), attemptId);
    mustSpeakFor(caller, workerId);
    // Refuses whoever has lost the attempt, and tells it.
    await this.dispatcher.move({ type: 'beat', attemptId, fencingToken }, actorOf(caller));
    this.dispatcher.progressed(attemptId);
    const at = new Date(this.clock.now()).toISOString();
    const kept = pieces.map((piece) => ({ ...piece, at, text: this.redactor.text(piece.text) }));
    return { hasRoom: await this.outputs.append(attemptId, kept) };
  }

  @Get('tasks/:taskId/output')
  async output(
    @Param({ schema: taskParams }) { taskId }: TaskParams,
    @Query({ schema: outputQuery }) query: OutputQuery,
  ): Promise<OutputAnswer> {
    const { attemptList, endedAt: taskEndedAt } = await this.views.show(taskId);
    const wanted = query.attemptId;
    const attempt =
      wanted === undefined
        ? attemptList.at(-1)
        : attemptList.find(({ attemptId }) => attemptId === wanted);
    if (attempt === undefined && wanted !== undefined) {
      const message = `Task ${taskId} has no attempt ${wanted}. Show the task to see its attempts.`;
      throw new Refusal('ATTEMPT_NOT_FOUND', message, { taskId, attemptId: wanted });
    }
    const { attemptId = null, endedAt = taskEndedAt } = attempt ?? {};
    const items =
      attemptId === null ? [] : await this.outputs.read(attemptId, query.from, query.limit);
    const next = (items.at(-1)?.index ?? query.from - 1) + 1;
    return { taskId, attemptId, hasEnded: endedAt !== null, items: [...items], next };
  }

  @Get('tasks/:taskId/result')
  async result(@Param({ schema: taskParams }) { taskId }: TaskParams) {
    const { state, resultHash } = await this.views.show(taskId);
    const result = resultHash === null ? undefined : await this.content.read(resultHash);
    return { taskId, state, result: result ?? null };
  }
}

const json = (schema: z.ZodType) => ({ type: 'application/json', schema });

export const outputRoutes: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/api/v1/attempts/{attemptId}/output',
    summary: `What the agent printed, at most ${limits.outputPiecesMax} pieces at a time.`,
    params: attemptParams,
    body: outputBody,
    answer: json(outputTakenShape),
    problems: [
      'NOT_THIS_WORKER',
      'ATTEMPT_NOT_FOUND',
      'STALE_FENCING_TOKEN',
      'UNKNOWN_FENCING_TOKEN',
      'LOG_UNAVAILABLE',
    ],
  },
  {
    path: '/api/v1/tasks/{taskId}/output',
    summary: 'What the agent of an attempt printed, from an index on.',
    params: taskParams,
    query: outputQuery,
    answer: json(outputShape),
    problems: ['TASK_NOT_FOUND', 'ATTEMPT_NOT_FOUND', 'READ_MODEL_BUILDING'],
  },
  {
    path: '/api/v1/tasks/{taskId}/result',
    summary: 'What a task came to.',
    params: taskParams,
    answer: json(resultShape),
    problems: ['TASK_NOT_FOUND', 'READ_MODEL_BUILDING'],
  },
];

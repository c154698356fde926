import {
  Body,
  Controller,
  HttpCode,
  Param,
  Post,
  Req,
  Res,
  type OnModuleDestroy,
} from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { callerOf } from '#platform/caller.js';
import type { ApiRoute } from '#platform/openapi.js';
import type { ProblemCode } from '#platform/problem.js';
import {
  attemptParams,
  claimBody,
  claimShape,
  moveBodies,
  movedShape,
  type ClaimBody,
  type MoveBody,
  type Moved,
  type MoveName,
} from './attempts.shapes.js';
import { ClaimTask } from './claim-task.js';
import { MoveAttempt } from './move-attempt.js';

type AttemptParams = z.infer<typeof attemptParams>;
type BodyOf<M extends MoveName> = z.infer<(typeof moveBodies)[M]>;

const params = { schema: attemptParams };

/** What workers ask: for a task, and to tell what becomes of it. */
@Controller('api/v1')
export class AttemptsController implements OnModuleDestroy {
  private readonly waiting = new Set<AbortController>();

  constructor(private readonly commands: CommandBus) {}

  /** A server that stops sends those away who wait. */
  onModuleDestroy(): void {
    for (const gone of this.waiting) gone.abort();
  }

  @Post('claims')
  @HttpCode(200)
  async claim(
    @Body({ schema: claimBody }) body: ClaimBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const gone = new AbortController();
    const leave = (): void => {
      gone.abort();
    };
    // Who hangs up while waiting is to get no task.
    request.raw.socket.once('close', leave);
    this.waiting.add(gone);
    try {
      const claimed = await this.commands.execute(
        new ClaimTask(body, callerOf(request), gone.signal),
      );
      if (claimed === undefined) void reply.code(204);
      return claimed;
    } finally {
      request.raw.socket.off('close', leave);
      this.waiting.delete(gone);
    }
  }

  @Post('attempts/:attemptId/start')
  @HttpCode(200)
  start(
    @Param(params) { attemptId }: AttemptParams,
    @Body({ schema: moveBodies.start }) body: BodyOf<'start'>,
    @Req() request: FastifyRequest,
  ) {
    return this.move(attemptId, { move: 'start', ...body }, request);
  }

  @Post('attempts/:attemptId/beat')
  @HttpCode(200)
  beat(
    @Param(params) { attemptId }: AttemptParams,
    @Body({ schema: moveBodies.beat }) body: BodyOf<'beat'>,
    @Req() request: FastifyRequest,
  ) {
    return this.move(attemptId, { move: 'beat', ...body }, request);
  }

  @Post('attempts/:attemptId/progress')
  @HttpCode(200)
  progress(
    @Param(params) { attemptId }: AttemptParams,
    @Body({ schema: moveBodies.progress }) body: BodyOf<'progress'>,
    @Req() request: FastifyRequest,
  ) {
    return this.move(attemptId, { move: 'progress', ...body }, request);
  }

  @Post('attempts/:attemptId/complete')
  @HttpCode(200)
  complete(
    @Param(params) { attemptId }: AttemptParams,
    @Body({ schema: moveBodies.complete }) body: BodyOf<'complete'>,
    @Req() request: FastifyRequest,
  ) {
    return this.move(attemptId, { move: 'complete', ...body }, request);
  }

  @Post('attempts/:attemptId/fail')
  @HttpCode(200)
  fail(
    @Param(params) { attemptId }: AttemptParams,
    @Body({ schema: moveBodies.fail }) body: BodyOf<'fail'>,
    @Req() request: FastifyRequest,
  ) {
    return this.move(attemptId, { move: 'fail', ...body }, request);
  }

  @Post('attempts/:attemptId/release')
  @HttpCode(200)
  release(
    @Param(params) { attemptId }: AttemptParams,
    @Body({ schema: moveBodies.release }) body: BodyOf<'release'>,
    @Req() request: FastifyRequest,
  ) {
    return this.move(attemptId, { move: 'release', ...body }, request);
  }

  @Post('attempts/:attemptId/halted')
  @HttpCode(200)
  halted(
    @Param(params) { attemptId }: AttemptParams,
    @Body({ schema: moveBodies.halted }) body: BodyOf<'halted'>,
    @Req() request: FastifyRequest,
  ) {
    return this.move(attemptId, { move: 'halted', ...body }, request);
  }

  private move(attemptId: string, body: MoveBody, request: FastifyRequest): Promise<Moved> {
    return this.commands.execute(new MoveAttempt(attemptId, body, callerOf(request)));
  }
}

const everyMove: readonly ProblemCode[] = [
  'NOT_THIS_WORKER',
  'ATTEMPT_NOT_FOUND',
  'STALE_FENCING_TOKEN',
  'UNKNOWN_FENCING_TOKEN',
  'ILLEGAL_MOVE',
  'LOG_UNAVAILABLE',
];
const summaries: Readonly<Record<MoveName, string>> = {
  start: 'The agent was started.',
  beat: 'The worker is alive: the lease runs anew.',
  progress: 'The agent gets on: both clocks run anew.',
  complete: 'It is done; with claimNext another task is claimed in the same request.',
  fail: 'It came to nothing: tried again later, or to the dead letters.',
  halted: 'Its agent was ended, as ordered or cut off: the task is paused and can be carried on.',
  release: 'Given back unfinished, which costs the task no attempt.',
};

export const attemptsRoutes: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/api/v1/claims',
    summary: 'A worker asks for a task; 204 when there is none within waitMs.',
    body: claimBody,
    answer: { type: 'application/json', schema: claimShape },
    problems: ['NOT_THIS_WORKER', 'WORKER_NOT_FOUND', 'ILLEGAL_MOVE', 'LOG_UNAVAILABLE'],
  },
  ...(Object.keys(moveBodies) as MoveName[]).map((move): ApiRoute => ({
    method: 'post',
    path: `/api/v1/attempts/{attemptId}/${move}`,
    summary: summaries[move],
    params: attemptParams,
    body: moveBodies[move],
    answer: { type: 'application/json', schema: movedShape },
    problems: everyMove,
  })),
];

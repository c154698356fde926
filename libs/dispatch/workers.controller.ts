import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { callerOf } from '#platform/caller.js';
import type { ApiRoute } from '#platform/openapi.js';
import { Redactor } from '#platform/redaction.js';
import { Dispatcher } from './dispatcher.js';
import { RegisterWorker } from './register-worker.js';
import { actorOf, mustSpeakFor } from './worker-tokens.js';
import {
  leaveBody,
  registeredShape,
  workerBody,
  workerParams,
  workersPage,
  type WorkerBody,
  type WorkerItem,
} from './workers.shapes.js';

@Controller('api/v1/workers')
export class WorkersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly dispatcher: Dispatcher,
    private readonly redactor: Redactor,
  ) {}

  @Post()
  register(@Body({ schema: workerBody }) body: WorkerBody, @Req() request: FastifyRequest) {
    return this.commands.execute(new RegisterWorker(body, callerOf(request)));
  }

  /** All of them: their number has a limit. */
  @Get()
  async list(): Promise<z.infer<typeof workersPage>> {
    const { workers, running } = await this.dispatcher.state();
    const held = [...running.values()];
    const items = [...workers.values()].map((registered) => {
      const { workerId, host, shards, seats, slots, agents, containment } = registered;
      const attempts = held
        .filter((it) => it.workerId === workerId)
        .map(({ attemptId, taskId }) => ({ attemptId, taskId }));
      const worker = { workerId, host, shards, seats, slots, agents, containment };
      return { ...worker, running: attempts.length, attempts } satisfies WorkerItem;
    });
    return { items, nextCursor: null };
  }

  @Post(':workerId/leave')
  @HttpCode(204)
  async leave(
    @Param({ schema: workerParams }) { workerId }: z.infer<typeof workerParams>,
    @Body({ schema: leaveBody }) body: z.infer<typeof leaveBody>,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const caller = callerOf(request);
    mustSpeakFor(caller, workerId);
    const reason = this.redactor.value(body.reason);
    await this.dispatcher.order({ type: 'worker-gone', workerId, reason }, actorOf(caller));
  }
}

const json = (schema: z.ZodType) => ({ type: 'application/json', schema });

export const workersRoutes: readonly ApiRoute[] = [
  {
    method: 'post',
    path: '/api/v1/workers',
    summary: 'A worker registers; the token that it is given is told only now.',
    body: workerBody,
    status: 201,
    answer: json(registeredShape),
    problems: ['TOO_MANY_WORKERS', 'WORKER_NOT_FOUND', 'NOT_THIS_WORKER', 'LOG_UNAVAILABLE'],
  },
  {
    path: '/api/v1/workers',
    summary: 'Who works, and on what.',
    answer: json(workersPage),
    problems: ['LOG_UNAVAILABLE'],
  },
  {
    method: 'post',
    path: '/api/v1/workers/{workerId}/leave',
    summary: 'A worker goes: what it holds is given back at once.',
    params: workerParams,
    body: leaveBody,
    status: 204,
    problems: ['WORKER_NOT_FOUND', 'NOT_THIS_WORKER', 'LOG_UNAVAILABLE'],
  },
];

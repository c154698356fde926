import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import type { z } from 'zod';
import type { ApiRoute } from '#platform/openapi.js';
import { Redactor } from '#platform/redaction.js';
import { Dispatcher } from './dispatcher.js';
import { lanesAnswer, queueAnswer } from './queue-answers.js';
import {
  gateBody,
  gateChangedShape,
  lanesShape,
  queueShape,
  wipBody,
  type GateBody,
  type LanesAnswer,
  type QueueAnswer,
  type WipBody,
} from './queue.shapes.js';

const operator = 'operator:api';
type GateChanged = z.infer<typeof gateChangedShape>;

@Controller('api/v1')
export class QueueController {
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly redactor: Redactor,
  ) {}

  @Get('queue')
  async queue(): Promise<QueueAnswer> {
    const state = await this.dispatcher.state();
    const { nowMs } = this.dispatcher;
    const answer = queueAnswer(state, nowMs, (it) => this.dispatcher.wallTimeOf(it));
    return { ...answer, ...(await this.dispatcher.figures()) };
  }

  @Get('lanes')
  async lanes(): Promise<LanesAnswer> {
    return lanesAnswer(await this.dispatcher.state(), this.dispatcher.nowMs);
  }

  @Post('queue/pause')
  @HttpCode(200)
  pause(@Body({ schema: gateBody }) body: GateBody): Promise<GateChanged> {
    return this.gate('pause', body);
  }

  @Post('queue/drain')
  @HttpCode(200)
  drain(@Body({ schema: gateBody }) body: GateBody): Promise<GateChanged> {
    return this.gate('drain', body);
  }

  @Post('queue/resume')
  @HttpCode(200)
  resume(@Body({ schema: gateBody }) body: GateBody): Promise<GateChanged> {
    return this.gate('resume', body);
  }

  @Post('queue/limits')
  @HttpCode(200)
  async limit(@Body({ schema: wipBody }) { scope, limit }: WipBody): Promise<GateChanged> {
    const { events } = await this.dispatcher.order({ type: 'limit-wip', scope, limit }, operator);
    return { changed: events.length > 0 };
  }

  private async gate(
    type: 'pause' | 'drain' | 'resume',
    { scope, reason }: GateBody,
  ): Promise<GateChanged> {
    const order = { type, scope, reason: this.redactor.value(reason) };
    const { events } = await this.dispatcher.order(order, operator);
    return { changed: events.length > 0 };
  }
}

const json = (schema: z.ZodType) => ({ type: 'application/json', schema });
const gate = (path: string, summary: string): ApiRoute => ({
  method: 'post',
  path,
  summary,
  body: gateBody,
  answer: json(gateChangedShape),
  problems: ['TOO_MANY_SCOPES', 'LOG_UNAVAILABLE'],
});

export const queueRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/queue',
    summary: 'How many tasks are where, which gates are closed, and what each shard is up to.',
    answer: json(queueShape),
    problems: ['LOG_UNAVAILABLE'],
  },
  {
    path: '/api/v1/lanes',
    summary: 'The lanes: how many tasks each has, and how long the oldest has waited.',
    answer: json(lanesShape),
    problems: ['LOG_UNAVAILABLE'],
  },
  gate('/api/v1/queue/pause', 'Nothing of this scope is claimed until it is resumed.'),
  gate('/api/v1/queue/drain', 'As pause, so that the scope comes to rest.'),
  gate('/api/v1/queue/resume', 'Ends a pause or a drain.'),
  {
    method: 'post',
    path: '/api/v1/queue/limits',
    summary: 'How many attempts of this scope may run at once.',
    body: wipBody,
    answer: json(gateChangedShape),
    problems: ['TOO_MANY_SCOPES', 'LOG_UNAVAILABLE'],
  },
];

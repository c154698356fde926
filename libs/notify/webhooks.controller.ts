import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { limits } from '#kernel/limits.js';
import type { ApiRoute } from '#platform/openapi.js';
import { ReadModels } from '#platform/read-models.js';
import { noticesProjection } from './notices.projection.js';
import { NoticesQueries } from './notices.queries.js';
import {
  removeBody,
  rotateBody,
  testShape,
  webhookBody,
  webhookParams,
  webhooksPage,
  withSecretShape,
  type TestOutcome,
  type WebhookBody,
  type WebhookWithSecret,
} from './notify.shapes.js';
import { Webhooks, type Changed } from './webhooks.js';
import { notFound } from './webhooks.decider.js';

type Params = z.infer<typeof webhookParams>;

@Controller('api/v1/webhooks')
export class WebhooksController {
  constructor(
    private readonly webhooks: Webhooks,
    private readonly notices: NoticesQueries,
    private readonly models: ReadModels,
  ) {}

  @Get()
  list(): z.infer<typeof webhooksPage> {
    return { items: this.notices.webhooks(), nextCursor: null };
  }

  @Post()
  async add(@Body({ schema: webhookBody }) body: WebhookBody): Promise<WebhookWithSecret> {
    return this.answerOf(await this.webhooks.add({ ...body, secret: body.secret }));
  }

  @Post(':webhookId/rotate')
  @HttpCode(200)
  async rotate(
    @Param({ schema: webhookParams }) { webhookId }: Params,
    @Body({ schema: rotateBody }) { secret }: z.infer<typeof rotateBody>,
  ): Promise<WebhookWithSecret> {
    return this.answerOf(await this.webhooks.rotate(webhookId, secret));
  }

  @Post(':webhookId/remove')
  @HttpCode(204)
  async remove(
    @Param({ schema: webhookParams }) { webhookId }: Params,
    @Body({ schema: removeBody }) { reason }: z.infer<typeof removeBody>,
  ): Promise<void> {
    await this.reached(await this.webhooks.remove(webhookId, reason));
  }

  @Post(':webhookId/test')
  @HttpCode(200)
  async test(@Param({ schema: webhookParams }) { webhookId }: Params): Promise<TestOutcome> {
    const { isDelivered, ...outcome } = await this.webhooks.test(webhookId);
    return { delivered: isDelivered, ...outcome };
  }

  private async answerOf({ webhookId, secret, position }: Changed): Promise<WebhookWithSecret> {
    await this.reached(position);
    const item = this.notices.webhooks().find((it) => it.webhookId === webhookId);
    if (item === undefined) throw notFound(webhookId);
    return { ...item, secret };
  }

  private reached(position: bigint): Promise<void> {
    return this.models.reached(noticesProjection, position, limits.writtenVisibleMs);
  }
}

const json = (schema: z.ZodType) => ({ type: 'application/json', schema });

export const webhooksRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/webhooks',
    summary: 'Where notices go, and whether they get there. Without secrets.',
    answer: json(webhooksPage),
    problems: ['READ_MODEL_BUILDING'],
  },
  {
    method: 'post',
    path: '/api/v1/webhooks',
    summary: 'Has notices sent to a URL, signed as Standard Webhooks says.',
    body: webhookBody,
    status: 201,
    answer: json(withSecretShape),
    problems: [
      'WEBHOOK_REFUSED',
      'WEBHOOK_EXISTS',
      'TOO_MANY_WEBHOOKS',
      'LOG_UNAVAILABLE',
      'READ_MODEL_BUILDING',
    ],
  },
  {
    method: 'post',
    path: '/api/v1/webhooks/{webhookId}/rotate',
    summary: 'Another secret; that of before is used beside it for a day.',
    params: webhookParams,
    body: rotateBody,
    answer: json(withSecretShape),
    problems: ['WEBHOOK_NOT_FOUND', 'WEBHOOK_REFUSED', 'LOG_UNAVAILABLE', 'READ_MODEL_BUILDING'],
  },
  {
    method: 'post',
    path: '/api/v1/webhooks/{webhookId}/remove',
    summary: 'It gets nothing any more; what waits for it is given up.',
    params: webhookParams,
    body: removeBody,
    status: 204,
    problems: ['WEBHOOK_NOT_FOUND', 'LOG_UNAVAILABLE', 'READ_MODEL_BUILDING'],
  },
  {
    method: 'post',
    path: '/api/v1/webhooks/{webhookId}/test',
    summary: 'Sends a test, once, and answers with what came back.',
    params: webhookParams,
    answer: json(testShape),
    problems: ['WEBHOOK_NOT_FOUND', 'WEBHOOK_REFUSED', 'LOG_UNAVAILABLE'],
  },
];

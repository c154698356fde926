import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { ApiRoute } from '#platform/openapi.js';
import { LivePrices } from './live-prices.js';
import { priceEntry } from './price-entries.decode.js';
import { listPrices } from './price-list.js';
import {
  missingPage,
  missingQuery,
  pricesPage,
  pricesQuery,
  publicationShape,
  publishBody,
  type MissingQuery,
  type PricesQuery,
  type PublicationAnswer,
  type PublishBody,
} from './prices.shapes.js';
import { PublishPrices } from './publish-prices.js';
import { UnpricedModelsQueries } from './unpriced-models.queries.js';

@Controller('api/v1/prices')
export class PricesController {
  constructor(
    private readonly live: LivePrices,
    private readonly unpriced: UnpricedModelsQueries,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  list(@Query({ schema: pricesQuery }) query: PricesQuery) {
    return listPrices(this.live.publications, query);
  }

  @Post()
  @HttpCode(200)
  publish(
    @Body({ schema: publishBody }) { source, prices }: PublishBody,
  ): Promise<PublicationAnswer> {
    return this.commands.execute(new PublishPrices(source, prices));
  }

  @Get('missing')
  missing(@Query({ schema: missingQuery }) query: MissingQuery) {
    return this.unpriced.list(query);
  }
}

const json = (schema: z.ZodType) => ({ type: 'application/json', schema });

export const pricesRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/prices',
    summary: 'The price book, by provider, model, tier, prompt size and time.',
    query: pricesQuery,
    answer: json(pricesPage),
    problems: ['BAD_CURSOR'],
  },
  {
    method: 'post',
    path: '/api/v1/prices',
    summary: 'Publishes prices: those that are sound count from now on, the others are reported.',
    body: publishBody.extend({ prices: z.array(priceEntry) }),
    answer: json(publicationShape),
    problems: [
      'INVALID_EVENT',
      'VERSION_CONFLICT',
      'BODY_TOO_LARGE',
      'MEDIA_TYPE_NOT_SUPPORTED',
      'LOG_UNAVAILABLE',
    ],
  },
  {
    path: '/api/v1/prices/missing',
    summary: 'Models that were used and had no price, in the order in which they were first seen.',
    query: missingQuery,
    answer: json(missingPage),
    problems: ['BAD_CURSOR', 'READ_MODEL_BUILDING'],
  },
];

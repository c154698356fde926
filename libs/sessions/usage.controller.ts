import { Controller, Get, Query } from '@nestjs/common';
import type { ApiRoute } from '#platform/openapi.js';
import { ModelsQueries } from './models.queries.js';
import {
  modelComparisons,
  modelsQuery,
  usagePage,
  usageQuery,
  type ModelsQuery,
  type UsageQuery,
} from './sessions.shapes.js';
import { UsageQueries } from './usage.queries.js';

@Controller('api/v1/usage')
export class UsageController {
  constructor(
    private readonly usage: UsageQueries,
    private readonly models: ModelsQueries,
  ) {}

  @Get()
  list(@Query({ schema: usageQuery }) query: UsageQuery) {
    return this.usage.list(query);
  }

  @Get('models')
  compareModels(@Query({ schema: modelsQuery }) query: ModelsQuery) {
    return this.models.compare(query);
  }
}

export const usageRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/usage',
    summary:
      'Tokens and cost by time, five-hour block, model, agent, session and more, with their total.',
    query: usageQuery,
    answer: { type: 'application/json', schema: usagePage },
    problems: ['BAD_CURSOR', 'READ_MODEL_BUILDING'],
  },
  {
    path: '/api/v1/usage/models',
    summary: 'Models side by side: cost per request and per 1,000 output tokens, latency, errors.',
    query: modelsQuery,
    answer: { type: 'application/json', schema: modelComparisons },
    problems: ['READ_MODEL_BUILDING'],
  },
];

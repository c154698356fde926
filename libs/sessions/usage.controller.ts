import { Controller, Get, Query } from '@nestjs/common';
import type { ApiRoute } from '#platform/openapi.js';
import { usagePage, usageQuery, type UsageQuery } from './sessions.shapes.js';
import { UsageQueries } from './usage.queries.js';

@Controller('api/v1/usage')
export class UsageController {
  constructor(private readonly usage: UsageQueries) {}

  @Get()
  list(@Query({ schema: usageQuery }) query: UsageQuery) {
    return this.usage.list(query);
  }
}

export const usageRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/usage',
    summary: 'Tokens and cost by time (UTC), model, agent or session, with their total.',
    query: usageQuery,
    answer: { type: 'application/json', schema: usagePage },
    problems: ['BAD_CURSOR', 'READ_MODEL_BUILDING'],
  },
];

import { Controller, Get, Query } from '@nestjs/common';
import type { z } from 'zod';
import type { ApiRoute } from '#platform/openapi.js';
import { NoticesQueries } from './notices.queries.js';
import { noticesPage, noticesQuery, type NoticesQuery } from './notify.shapes.js';

@Controller('api/v1/notices')
export class NoticesController {
  constructor(private readonly notices: NoticesQueries) {}

  @Get()
  list(@Query({ schema: noticesQuery }) query: NoticesQuery): z.infer<typeof noticesPage> {
    return this.notices.list(query);
  }
}

export const noticesRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/notices',
    summary: 'What people were told of, the newest first, and how it stands with each webhook.',
    query: noticesQuery,
    answer: { type: 'application/json', schema: noticesPage },
    problems: ['BAD_CURSOR', 'READ_MODEL_BUILDING'],
  },
];

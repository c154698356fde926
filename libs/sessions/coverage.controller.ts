import { Controller, Get, Param, Query } from '@nestjs/common';
import type { z } from 'zod';
import type { ApiRoute } from '#platform/openapi.js';
import { CoverageQueries } from './coverage.queries.js';
import {
  coveragePage,
  coverageQuery,
  sessionCoverage,
  type CoverageQuery,
} from './coverage.shapes.js';
import { sessionParams, sessionQuery } from './sessions.shapes.js';

@Controller('api/v1')
export class CoverageController {
  constructor(private readonly coverage: CoverageQueries) {}

  @Get('coverage')
  list(@Query({ schema: coverageQuery }) query: CoverageQuery) {
    return this.coverage.list(query);
  }

  @Get('sessions/:id/coverage')
  show(
    @Param({ schema: sessionParams }) { id }: z.infer<typeof sessionParams>,
    @Query({ schema: sessionQuery }) { agent }: z.infer<typeof sessionQuery>,
  ) {
    return this.coverage.find(id, agent);
  }
}

export const coverageRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/coverage',
    summary: "How much of what the agents' own files say has reached us by telemetry, by session.",
    query: coverageQuery,
    answer: { type: 'application/json', schema: coveragePage },
    problems: ['BAD_CURSOR', 'READ_MODEL_BUILDING'],
  },
  {
    path: '/api/v1/sessions/{id}/coverage',
    summary: 'The same for one session, with every gap by name.',
    params: sessionParams,
    query: sessionQuery,
    answer: { type: 'application/json', schema: sessionCoverage },
    problems: ['SESSION_NOT_FOUND', 'SESSION_AMBIGUOUS', 'READ_MODEL_BUILDING'],
  },
];

import { Controller, Get, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { EventLog } from '#eventstore/src/log.js';
import { sessionStream } from '#eventstore/vocabulary/session.events.js';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import type { ApiRoute } from '#platform/openapi.js';
import { describeEvent } from './recorded-event.js';
import { SessionsQueries } from './sessions.queries.js';
import {
  eventPage,
  sessionEventsQuery,
  sessionPage,
  sessionParams,
  sessionQuery,
  sessionShape,
  sessionsQuery,
  type SessionsQuery,
} from './sessions.shapes.js';

const eventCursor = z.tuple([z.int().nonnegative()]);

@Controller('api/v1/sessions')
export class SessionsController {
  constructor(
    private readonly sessions: SessionsQueries,
    private readonly log: EventLog,
  ) {}

  @Get()
  list(@Query({ schema: sessionsQuery }) query: SessionsQuery) {
    return this.sessions.list(query);
  }

  @Get(':id')
  find(
    @Param({ schema: sessionParams }) { id }: z.infer<typeof sessionParams>,
    @Query({ schema: sessionQuery }) { agent }: z.infer<typeof sessionQuery>,
  ) {
    return this.sessions.find(id, agent);
  }

  @Get(':id/events')
  async events(
    @Param({ schema: sessionParams }) { id }: z.infer<typeof sessionParams>,
    @Query({ schema: sessionEventsQuery }) query: z.infer<typeof sessionEventsQuery>,
  ) {
    const { limit, cursor } = query;
    const [after] = cursor === undefined ? [0] : decodeCursor(cursor, eventCursor);
    const agent: AgentName = this.sessions.find(id, query.agent).agent;
    const events = await this.log.read(sessionStream(agent, id), after, limit + 1);
    const page = events.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(describeEvent),
      nextCursor: events.length > limit && last !== undefined ? encodeCursor([last.version]) : null,
    };
  }
}

const json = (schema: z.ZodType) => ({ type: 'application/json', schema });

export const sessionsRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/sessions',
    summary: 'Agent sessions, those with the latest activity first.',
    query: sessionsQuery,
    answer: json(sessionPage),
    problems: ['BAD_CURSOR', 'READ_MODEL_BUILDING'],
  },
  {
    path: '/api/v1/sessions/{id}',
    summary: 'One agent session.',
    params: sessionParams,
    query: sessionQuery,
    answer: json(sessionShape),
    problems: ['SESSION_NOT_FOUND', 'SESSION_AMBIGUOUS', 'READ_MODEL_BUILDING'],
  },
  {
    path: '/api/v1/sessions/{id}/events',
    summary: 'What happened in a session, in the order in which it was recorded.',
    params: sessionParams,
    query: sessionEventsQuery,
    answer: json(eventPage),
    problems: [
      'BAD_CURSOR',
      'SESSION_NOT_FOUND',
      'SESSION_AMBIGUOUS',
      'READ_MODEL_BUILDING',
      'LOG_UNAVAILABLE',
    ],
  },
];

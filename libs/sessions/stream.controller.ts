import { Controller, Get, Headers, Query, Res, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { EventLog } from '#eventstore/src/log.js';
import type { RecordedEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import { openEventStream, writeEventStream } from '#platform/event-stream.js';
import type { ApiRoute } from '#platform/openapi.js';
import { describeEvent } from './recorded-event.js';
import { position, streamQuery } from './sessions.shapes.js';

type StreamQuery = z.infer<typeof streamQuery>;

@Controller('api/v1/stream')
export class StreamController implements OnModuleDestroy {
  private readonly open = new Set<AbortController>();

  constructor(private readonly log: EventLog) {}

  /** Events as they are recorded, each with its position as id, so that a reader can go on after it. */
  @Get()
  async stream(
    @Query({ schema: streamQuery }) query: StreamQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (this.open.size >= limits.streamSubscribersMax) {
      throw new Refusal(
        'TOO_MANY_STREAMS',
        `${limits.streamSubscribersMax} readers follow the events already. Close one of them.`,
      );
    }
    const reading = new AbortController();
    this.open.add(reading);
    try {
      const after = await this.start(lastEventId, query.after);
      if (!openEventStream(reply, 'following')) return;
      const batches = this.log.follow(after, { signal: reading.signal });
      await writeEventStream(
        textOf(batches, query),
        reply.raw,
        () => {
          reading.abort();
        },
        { heartbeatMs: limits.streamHeartbeatMs, stuckMs: limits.streamStuckMs },
      );
    } finally {
      reading.abort();
      this.open.delete(reading);
    }
  }

  onModuleDestroy(): void {
    for (const reading of this.open) reading.abort();
  }

  private async start(lastEventId: string | undefined, after: string | undefined) {
    const head = await this.log.head();
    const asked = lastEventId === undefined || lastEventId === '' ? after : lastEventId;
    if (asked === undefined) return head;
    if (!position.safeParse(asked).success) {
      const field = 'Last-Event-ID';
      throw new Refusal('BAD_REQUEST', `${field}: must be the id of an event`, { field });
    }
    if (BigInt(asked) > head) {
      throw new Refusal(
        'BAD_REQUEST',
        `The log ends at ${head}: there is no ${asked} to go on from.`,
      );
    }
    return BigInt(asked);
  }
}

async function* textOf(
  batches: AsyncIterable<RecordedEvent[]>,
  { session, type }: StreamQuery,
): AsyncGenerator<string> {
  const types: ReadonlySet<string> | undefined = type && new Set(type);
  for await (const batch of batches) {
    for (const event of batch) {
      if (types?.has(event.type) === false) continue;
      if (session !== undefined && sessionOf(event) !== session) continue;
      const data = JSON.stringify(describeEvent(event));
      yield `id: ${event.position}\nevent: ${event.type}\ndata: ${data}\n\n`;
    }
  }
}

function sessionOf(event: RecordedEvent): unknown {
  const { data } = event;
  return typeof data === 'object' && data !== null && 'sessionId' in data ? data.sessionId : null;
}

export const streamRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/stream',
    summary: 'Server-sent events: every event as it is recorded (id = position, event = type).',
    query: streamQuery,
    answer: { type: 'text/event-stream', schema: z.string() },
    problems: ['TOO_MANY_STREAMS', 'LOG_UNAVAILABLE'],
  },
];

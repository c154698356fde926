import { Controller, Get, Param, Req, Res, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { callerOf } from '#platform/caller.js';
import { openEventStream, writeEventStream } from '#platform/event-stream.js';
import type { ApiRoute } from '#platform/openapi.js';
import { controlOf, type ControlMessage } from './control.js';
import { Dispatcher } from './dispatcher.js';
import { workerOf } from './dispatch-state.js';
import { mustSpeakFor } from './worker-tokens.js';
import { workerParams } from './workers.shapes.js';

@Controller('api/v1/workers')
export class ControlController implements OnModuleDestroy {
  private readonly open = new Set<AbortController>();

  constructor(private readonly dispatcher: Dispatcher) {}

  onModuleDestroy(): void {
    for (const ending of this.open) ending.abort();
  }

  /** A worker holds it open for as long as it lives. */
  @Get(':workerId/control')
  async control(
    @Param({ schema: workerParams }) { workerId }: z.infer<typeof workerParams>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    mustSpeakFor(callerOf(request), workerId);
    workerOf(await this.dispatcher.state(), workerId);
    const ending = new AbortController();
    this.open.add(ending);
    try {
      if (!openEventStream(reply)) return;
      const messages = controlOf(this.dispatcher, workerId, ending.signal);
      await writeEventStream(
        textOf(messages),
        reply.raw,
        () => {
          ending.abort();
        },
        { heartbeatMs: limits.streamHeartbeatMs, stuckMs: limits.streamStuckMs },
      );
    } finally {
      ending.abort();
      this.open.delete(ending);
    }
  }
}

async function* textOf(messages: AsyncIterable<ControlMessage>): AsyncGenerator<string> {
  for await (const { event, data } of messages) {
    yield `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

export const controlRoutes: readonly ApiRoute[] = [
  {
    path: '/api/v1/workers/{workerId}/control',
    summary:
      'Server-sent events for a worker: `holds` (what it has and what of it is to be halted, at the beginning), `pause` and `kill` (what is to be halted), `stop` (what it has lost) and `leave` (it was dismissed).',
    params: workerParams,
    answer: { type: 'text/event-stream', schema: z.string() },
    problems: ['WORKER_NOT_FOUND', 'NOT_THIS_WORKER', 'LOG_UNAVAILABLE'],
  },
];

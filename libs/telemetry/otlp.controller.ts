import { Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { limits } from '#kernel/limits.js';
import { Intake } from './intake.js';
import { Admission } from './otlp.admission.js';
import type { Encoding } from './otlp.answers.js';
import { CONTENT_TYPES, exportResponse } from './otlp.answers.js';
import { readBody } from './otlp.body.js';
import { decodeExport } from './otlp.decode.js';
import type { Signal } from './otlp.records.js';
import { bodyTooLarge, OtlpRefusal, overloaded } from './otlp.refusal.js';

/**
 * OTLP/HTTP. An export is answered with 200 when its events are durable, and with 503 when it should
 * be sent again. Whatever is thrown on the way becomes a google.rpc.Status in OtlpErrorFilter.
 */
@Controller('v1')
export class OtlpController {
  constructor(
    private readonly intake: Intake,
    private readonly admission: Admission,
  ) {}

  @Post('logs')
  logs(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.receive('logs', request, reply);
  }

  @Post('metrics')
  metrics(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.receive('metrics', request, reply);
  }

  @Post('traces')
  traces(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.receive('traces', request, reply);
  }

  private async receive(
    signal: Signal,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const encoding = encodingOf(request);
    if (encoding === undefined) {
      const types = Object.values(CONTENT_TYPES).join(' or ');
      throw new OtlpRefusal(415, `The Content-Type must be ${types}.`);
    }
    const compression = compressionOf(request);
    const declaredBytes = Number(request.headers['content-length'] ?? 0);
    if (declaredBytes > limits.bodyBytesMax) throw bodyTooLarge();
    const reservation = this.admission.reserve(declaredBytes);
    if (reservation === undefined) throw overloaded();
    try {
      const body = await readBody(request.raw, compression, reservation);
      const accepted =
        body.length === 0
          ? { rejected: 0, message: '' }
          : await this.admission.inTurn(body.length, () =>
              this.intake.accept(decodeExport(signal, encoding, body)),
            );
      // Nest would answer a POST with 201.
      reply
        .status(200)
        .type(CONTENT_TYPES[encoding])
        .send(exportResponse(signal, encoding, accepted));
    } finally {
      reservation.release();
    }
  }
}

/** By the Content-Type, parameters aside; undefined for one that is none of OTLP's. */
export function encodingOf(request: FastifyRequest): Encoding | undefined {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === CONTENT_TYPES.protobuf) return 'protobuf';
  return type === CONTENT_TYPES.json ? 'json' : undefined;
}

function compressionOf(request: FastifyRequest): 'identity' | 'gzip' {
  const name = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (name === 'gzip') return name;
  if (name === 'identity' || name === '') return 'identity';
  throw new OtlpRefusal(400, 'The Content-Encoding must be gzip or identity.');
}

const SIGNAL_OF_PATH: ReadonlyMap<string, Signal> = new Map([
  ['/v1/logs', 'logs'],
  ['/v1/metrics', 'metrics'],
  ['/v1/traces', 'traces'],
]);

/** By the path, whatever the method; undefined for a path that is none of OTLP's. */
export function signalOf(request: FastifyRequest): Signal | undefined {
  return SIGNAL_OF_PATH.get(request.url.split('?', 1)[0] ?? '');
}

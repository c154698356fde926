import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { Catch, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { limits } from '#kernel/limits.js';
import { CONTENT_TYPES, statusMessage } from './otlp.answers.js';
import { encodingOf, signalOf } from './otlp.controller.js';
import { notStored, OtlpRefusal, refusalOf } from './otlp.refusal.js';

/**
 * Answers every failure with a google.rpc.Status in the encoding of the request.
 *
 * There is no 500: exporters throw a batch away on it. What is nobody's refusal is a bug: the sender
 * is asked to send again, and the bug goes to whoever decides about the process.
 */
@Catch()
export class OtlpErrorFilter implements ExceptionFilter {
  constructor(private readonly onBug: (error: unknown) => void) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    let refusal = refusalOf(error) ?? httpRefusalOf(error, request);
    if (refusal === undefined) {
      this.onBug(error);
      refusal = notStored();
    }
    sendRefusal(request, reply, refusal);
  }
}

export function sendRefusal(
  request: FastifyRequest,
  reply: FastifyReply,
  { httpCode, message }: OtlpRefusal,
): void {
  if (httpCode === 405) reply.header('Allow', 'POST');
  if (httpCode === 429 || httpCode === 503) {
    reply.header('Retry-After', String(limits.otlpRetryAfterSeconds));
  }
  const encoding = encodingOf(request) ?? 'json';
  reply
    .status(httpCode)
    .type(CONTENT_TYPES[encoding])
    .send(statusMessage(encoding, httpCode, message));
}

/** What Nest, Fastify or a hook refused before the controller saw it. */
function httpRefusalOf(error: unknown, request: FastifyRequest): OtlpRefusal | undefined {
  const code = httpCodeOf(error);
  if (code === undefined) return undefined;
  if (code !== 404) return new OtlpRefusal(code, (error as Error).message);
  return signalOf(request) === undefined
    ? new OtlpRefusal(404, 'There is /v1/logs, /v1/metrics and /v1/traces, and nothing else.')
    : new OtlpRefusal(405, 'The method must be POST.');
}

function httpCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const code: unknown =
    error instanceof HttpException
      ? error.getStatus()
      : (error as { statusCode?: unknown }).statusCode;
  return typeof code === 'number' && code >= 400 && code < 500 ? code : undefined;
}

import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import {
  Catch,
  HttpException,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isLogError } from '#eventstore/src/log.js';
import { isRefusal } from '#kernel/refusal.js';

interface Kind {
  readonly status: number;
  readonly title: string;
  readonly retryAfterSeconds?: number;
}

/** The one table from code to HTTP status and title. Every code has a heading in the runbook. */
const kinds = {
  BAD_REQUEST: { status: 400, title: 'The request is not understood' },
  BAD_CURSOR: { status: 400, title: 'The cursor is not of this list' },
  INVALID_EVENT: { status: 400, title: 'The event breaks its schema' },
  WEBHOOK_REFUSED: { status: 400, title: 'A webhook cannot be made of this' },
  CYCLIC_DEPENDENCIES: { status: 400, title: 'Tasks wait for each other' },
  BUDGET_LIMIT_INVALID: { status: 400, title: 'The limit is none' },
  BUDGET_THRESHOLDS_INVALID: { status: 400, title: 'The steps are out of order' },
  TIME_ZONE_UNKNOWN: { status: 400, title: 'There is no such time zone' },
  DEPENDENCY_NOT_FOUND: { status: 400, title: 'A dependency does not exist' },
  TOKEN_MISSING: { status: 401, title: 'A token is needed' },
  TOKEN_WRONG: { status: 401, title: 'The token is not the right one' },
  HOST_NOT_ALLOWED: { status: 403, title: 'Not under this host name' },
  ORIGIN_NOT_ALLOWED: { status: 403, title: 'Not from this web page' },
  NOT_THIS_WORKER: { status: 403, title: 'Another worker was meant' },
  NOT_FOUND: { status: 404, title: 'There is no such address' },
  SESSION_NOT_FOUND: { status: 404, title: 'There is no such session' },
  TASK_NOT_FOUND: { status: 404, title: 'There is no such task' },
  ATTEMPT_NOT_FOUND: { status: 404, title: 'There is no such attempt' },
  KILL_NOT_FOUND: { status: 404, title: 'There is no such kill' },
  NOTHING_TO_KILL: { status: 404, title: 'Nothing of it runs' },
  BUDGET_NOT_FOUND: { status: 404, title: 'There is no such budget' },
  WORKER_NOT_FOUND: { status: 404, title: 'There is no such worker' },
  WEBHOOK_NOT_FOUND: { status: 404, title: 'There is no such webhook' },
  SESSION_AMBIGUOUS: { status: 409, title: 'Several sessions have this id' },
  STALE_FENCING_TOKEN: { status: 409, title: 'The attempt has lost its task' },
  UNKNOWN_FENCING_TOKEN: { status: 409, title: 'No claim gave this token' },
  ILLEGAL_MOVE: { status: 409, title: 'Not from this state' },
  BUDGET_NOT_RAISED: { status: 409, title: 'That is no raise' },
  BUDGET_STILL_SPENT: { status: 409, title: 'The money is still gone' },
  BUDGET_TRIPPED: { status: 409, title: 'The budget has tripped' },
  TOO_MANY_BUDGETS: { status: 409, title: 'Too many budgets' },
  IDEMPOTENCY_KEY_REUSED: { status: 409, title: 'The key stands for something else' },
  WEBHOOK_EXISTS: { status: 409, title: 'The URL has a webhook' },
  TOO_MANY_WEBHOOKS: { status: 409, title: 'Too many webhooks' },
  VERSION_CONFLICT: { status: 409, title: 'Someone else was faster' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  MEDIA_TYPE_NOT_SUPPORTED: { status: 415, title: 'The content type is not supported' },
  TOO_MANY_WRONG_TOKENS: { status: 429, title: 'Too many wrong tokens', retryAfterSeconds: 60 },
  INTERNAL: { status: 500, title: 'Something is broken here' },
  LOG_TOO_NEW: { status: 500, title: 'The log is of a newer version' },
  LOG_UNUSABLE: { status: 500, title: 'The log cannot be used' },
  LOG_UNAVAILABLE: { status: 503, title: 'The log cannot be written now', retryAfterSeconds: 1 },
  READ_MODEL_BUILDING: { status: 503, title: 'The answer is being built', retryAfterSeconds: 1 },
  QUEUE_FULL: { status: 503, title: 'The queue is full', retryAfterSeconds: 60 },
  TOO_MANY_KINDS: { status: 503, title: 'Too many kinds of tasks', retryAfterSeconds: 60 },
  TOO_MANY_SCOPES: { status: 503, title: 'Too many gates', retryAfterSeconds: 60 },
  TOO_MANY_WORKERS: { status: 503, title: 'Too many workers', retryAfterSeconds: 60 },
  TOO_MANY_STREAMS: { status: 503, title: 'Too many streams are open', retryAfterSeconds: 10 },
} as const satisfies Readonly<Record<string, Kind>>;

export type ProblemCode = keyof typeof kinds;
export const problemKinds: Readonly<Record<ProblemCode, Kind>> = kinds;

/** RFC 9457, with the code that programs go by. */
interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
  readonly [extension: string]: unknown;
}

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

const statusCodes: Readonly<Record<number, ProblemCode>> = {
  400: 'BAD_REQUEST',
  404: 'NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  415: 'MEDIA_TYPE_NOT_SUPPORTED',
};

/**
 * Any error as an answer. What is not known here is a bug: its answer tells nothing but a reference,
 * under which `report` gets the error itself.
 *
 * @param instance the path that was asked for.
 */
export function problemOf(
  error: unknown,
  instance: string,
  report: (reference: string, error: unknown) => void,
): ProblemAnswer {
  if ((isRefusal(error) || isLogError(error)) && Object.hasOwn(kinds, error.code)) {
    const details = isRefusal(error) ? error.details : {};
    return answer(error.code as ProblemCode, error.message, instance, details);
  }
  const status = statusOf(error);
  if (status === 404) {
    return answer('NOT_FOUND', 'There is nothing here. See /api/docs for what there is.', instance);
  }
  if (status !== undefined && status < 500) {
    const code = statusCodes[status];
    const detail = error instanceof Error ? error.message : '';
    if (code !== undefined) return answer(code, detail, instance);
    const kind = { status, title: STATUS_CODES[status] ?? 'The request is refused' };
    return answerOf(kind, `HTTP_${status}`, detail, instance);
  }
  const reference = randomUUID();
  report(reference, error);
  const detail = `The server could not answer. Its console has the cause under ${reference}.`;
  return answer('INTERNAL', detail, instance, { reference });
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

function answer(
  code: ProblemCode,
  detail: string,
  instance: string,
  details: Readonly<Record<string, unknown>> = {},
): ProblemAnswer {
  return answerOf(problemKinds[code], code, detail, instance, details);
}

function answerOf(
  { status, title, retryAfterSeconds }: Kind,
  code: string,
  detail: string,
  instance: string,
  details: Readonly<Record<string, unknown>> = {},
): ProblemAnswer {
  const type = `urn:tri-agent:problem:${code}`;
  return {
    status,
    headers: retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
    body: { ...details, type, title, status, code, detail, instance },
  };
}

/** The path of a request, without what may be secret in its query, cut to what is worth repeating. */
export function instanceOf(url: string): string {
  return url.replace(/[?#].*$/s, '').slice(0, 200);
}

const logger = new Logger('http');

/** Answers a request with a problem document. */
export function sendProblem(reply: FastifyReply, url: string, error: unknown): FastifyReply {
  const { status, headers, body } = problemOf(error, instanceOf(url), (reference, cause) => {
    logger.error(reference, cause instanceof Error ? cause.stack : String(cause));
  });
  return reply
    .code(status)
    .headers({ ...headers, 'content-type': 'application/problem+json; charset=utf-8' })
    .send(JSON.stringify(body));
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent) {
      // Too late to answer: a stream that was under way has broken off.
      logger.error('A stream broke off', error instanceof Error ? error.stack : String(error));
      return;
    }
    void sendProblem(reply, http.getRequest<FastifyRequest>().url, error);
  }
}

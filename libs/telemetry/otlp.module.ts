import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { limits } from '#kernel/limits.js';
import { Intake } from './intake.js';
import { Admission } from './otlp.admission.js';
import { OtlpController, signalOf } from './otlp.controller.js';
import { OtlpErrorFilter, sendRefusal } from './otlp.error-filter.js';
import { OtlpRefusal } from './otlp.refusal.js';

const CONNECTIONS_CHECK_MS = 1_000;

export interface OtlpParts {
  readonly intake: Intake;
  readonly admission: Admission;
  /** Told of what only a bug can throw; the sender has been asked to send again. */
  readonly onBug: (error: unknown) => void;
}

export interface OtlpHttpOptions extends OtlpParts {
  /** Sees the headers of every request before its body is read, and answers one that may not go on. */
  readonly guard: onRequestHookHandler;
}

@Module({})
class OtlpModule {
  static with({ intake, admission, onBug }: OtlpParts): DynamicModule {
    return {
      module: OtlpModule,
      controllers: [OtlpController],
      providers: [
        { provide: Intake, useValue: intake },
        { provide: Admission, useValue: admission },
        { provide: APP_FILTER, useValue: new OtlpErrorFilter(onBug) },
      ],
    };
  }
}

/** The OTLP port, ready to `listen`: an application of its own, so that it answers nothing else. */
export function createOtlpApp(options: OtlpHttpOptions): Promise<NestFastifyApplication> {
  return NestFactory.create<NestFastifyApplication>(
    OtlpModule.with(options),
    otlpAdapter(options),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest types its options as a class that nobody instantiates.
    { bodyParser: false, abortOnError: false, logger: ['error', 'warn'] },
  );
}

/** A Fastify that leaves bodies unread (the controller reads them) and waits for nobody for long. */
function otlpAdapter({ intake, guard }: OtlpHttpOptions): FastifyAdapter {
  const adapter = new FastifyAdapter({
    skipMiddie: true,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: limits.otlpKeepAliveMs,
    requestTimeout: limits.otlpRequestMs,
    // Of these there is one that a request can cause: a path that cannot be decoded.
    frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => {
      sendRefusal(request, reply, new OtlpRefusal(400, 'The path cannot be read.'));
    },
    http: {
      headersTimeout: limits.otlpHeadersMs,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
    },
  });
  const fastify = adapter.getInstance();
  fastify.server.maxConnections = limits.otlpConnectionsMax;
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request, _body, done) => {
    done(null);
  });
  fastify.addHook('onRequest', guard);
  fastify.addHook('onResponse', (request, reply, done) => {
    const signal = signalOf(request) ?? 'none';
    intake.metrics.requests.inc({ signal, transport: 'http', code: reply.statusCode });
    done();
  });
  return adapter;
}

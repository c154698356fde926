import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { limits } from '#kernel/limits.js';
import { Intake } from './intake.js';
import type { IntakeMetrics } from './intake.metrics.js';
import { Admission } from './otlp.admission.js';
import { OtlpController, signalOf } from './otlp.controller.js';
import { OtlpErrorFilter } from './otlp.error-filter.js';

const CONNECTIONS_CHECK_MS = 1_000;

export interface OtlpParts {
  readonly intake: Intake;
  readonly admission: Admission;
  /** Told of what only a bug can throw; the sender has been asked to send again. */
  readonly onBug: (error: unknown) => void;
}

/**
 * The root module of the OTLP port, which is an application of its own so that it answers nothing
 * else: `NestFactory.create(OtlpModule.with(parts), otlpAdapter(metrics), { bodyParser: false })`.
 */
@Module({})
export class OtlpModule {
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

/** A Fastify that leaves bodies unread (the controller reads them) and waits for nobody for long. */
export function otlpAdapter(metrics: IntakeMetrics): FastifyAdapter {
  const adapter = new FastifyAdapter({
    skipMiddie: true,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: limits.otlpKeepAliveMs,
    requestTimeout: limits.otlpRequestMs,
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
  fastify.addHook('onResponse', (request, reply, done) => {
    const signal = signalOf(request) ?? 'none';
    metrics.requests.inc({ signal, transport: 'http', code: reply.statusCode });
    done();
  });
  return adapter;
}

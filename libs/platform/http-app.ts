import {
  Module,
  StandardSchemaValidationPipe,
  type LogLevel,
  type Provider,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import { ProblemFilter, sendProblem } from './problem.js';

export interface HttpAppOptions {
  readonly controllers: readonly Type[];
  readonly providers: readonly Provider[];
  /** Runs before anything else looks at a request. */
  readonly guard: onRequestHookHandler;
  /** Nest keeps the last one it was given for the whole process: false silences every other part, too. */
  readonly logger: LogLevel[] | false;
}

@Module({})
class HttpApp {}

/** A Nest application for one port, not yet listening: problem documents, checked queries, limits. */
export async function createHttpApp(options: HttpAppOptions): Promise<NestFastifyApplication> {
  const { controllers, providers, guard, logger } = options;
  const adapter = new FastifyAdapter({
    bodyLimit: limits.apiBodyBytesMax,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void sendProblem(reply, request.url, error);
    },
  });
  adapter.getInstance().addHook('onRequest', guard);
  adapter.getInstance().addHook('onSend', (_request, reply, payload, done) => {
    // What agents wrote is answered as data: nobody may guess that it is a page or a script.
    void reply.header('x-content-type-options', 'nosniff');
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
    done(null, payload);
  });
  adapter.getInstance().addHook('preClose', (done) => {
    // Browsers keep spare connections open that never asked for anything: do not wait for those.
    const server = adapter.getHttpServer();
    setTimeout(() => {
      server.closeAllConnections();
    }, limits.closingGraceMs).unref();
    done();
  });
  // For its command bus alone: what happened is in the log, and nobody listens on the event bus.
  const imports = [CqrsModule.forRoot()];
  const module = {
    module: HttpApp,
    imports,
    controllers: [...controllers],
    providers: [...providers],
  };
  // Nest declares its options as a class that nobody is meant to construct.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: refuseInput }));
  return app;
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

function refuseInput(issues: readonly Issue[]): Refusal {
  const [first] = issues;
  const path = first?.path?.map((it) => String(typeof it === 'object' ? it.key : it)) ?? [];
  const field = path.join('.');
  const message = first?.message ?? 'invalid';
  return new Refusal('BAD_REQUEST', field === '' ? message : `${field}: ${message}`, { field });
}

import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import { Registry } from 'prom-client';
import { EventLog } from '#eventstore/src/log.js';
import { guard, needOnApiPort } from '#libs/access/guard.js';
import { RegisteredTokens } from '#libs/dispatch/worker-tokens.js';
import { registerGauges } from '#libs/metrics/gauges.js';
import {
  diskHasRoom,
  logIsWritable,
  projectionsKeepUp,
  type HealthCheck,
} from '#libs/metrics/health.js';
import { HEALTH_CHECKS } from '#libs/metrics/health.controller.js';
import { makeWebhooks } from '#libs/notify/index.js';
import { Webhooks } from '#libs/notify/webhooks.js';
import { LivePrices } from '#libs/prices/live-prices.js';
import { UnpricedModelsQueries } from '#libs/prices/unpriced-models.queries.js';
import { Appender } from '#libs/telemetry/appender.js';
import { limits } from '#kernel/limits.js';
import { Clock } from '#platform/clock.js';
import { isLoopback } from '#platform/config.js';
import { ContentStore } from '#platform/content-store.js';
import { API_DESCRIPTION, DocsController, type ApiDescription } from '#platform/docs.controller.js';
import { createHttpApp } from '#platform/http-app.js';
import { PriceSource } from '#platform/price-source.js';
import { sendProblem } from '#platform/problem.js';
import { projectionLags } from '#platform/projection-lag.js';
import { Redactor } from '#platform/redaction.js';
import { ReadModels } from '#platform/read-models.js';
import type { Ports } from '#platform/server-process.js';
import { version } from '#platform/version.js';
import { contexts } from './contexts.js';
import type { House, RunningRole } from './house.js';
import { listen } from './listening.js';
import { makeTower } from './tower.js';
import {
  STATUS_SOURCE,
  StatusController,
  statusRoutes,
  type StatusSource,
} from './status.controller.js';

/** The role that answers questions: REST, live stream, documents, health and metrics, on one port. */
export async function startApi(
  house: House,
  otlp: Omit<Ports, 'http'>,
): Promise<RunningRole & { readonly http: number }> {
  const { config, token, hooksToken } = house;
  const clock = new Clock();
  const models = new ReadModels(join(config.home, 'read-models.db'));
  const status: StatusSource = {
    config,
    startedAt: new Date(clock.now()),
    ports: { http: null, ...otlp },
    lags: () => projectionLags(house.log, models, clock.now()),
  };
  const tower = await makeTower(house, models, clock);
  registerFigures(house, status, new UnpricedModelsQueries(models, house.prices));
  const app = await createHttpApp({
    controllers: [
      ...contexts.flatMap(({ controllers }) => controllers),
      StatusController,
      DocsController,
    ],
    providers: [...providersOf(house, models, clock, status), ...tower.providers],
    guard: guard({
      token,
      hooksToken,
      allowed: { hosts: config.allowedHosts, origins: config.allowedOrigins },
      needOf: needOnApiPort(isLoopback(config.bind)),
      clock,
      workers: new RegisteredTokens(tower.dispatcher),
      refuse: (request, reply, refusal) => sendProblem(reply, request.url, refusal),
    }),
    logger: ['error', 'warn'],
  });
  await tower.begin();
  const http = await listen(app, config, 'httpPort');
  status.ports = { http, ...otlp };
  return {
    http,
    stop: async () => {
      await app.close();
      await tower.stop();
      models.close();
    },
  };
}

function registerFigures(
  { log, registry }: House,
  { lags }: StatusSource,
  unpriced: UnpricedModelsQueries,
): void {
  registerGauges(registry, {
    logHead: () => log.head(),
    logWalBytes: () => log.stats().walBytes,
    appendsWaiting: () => log.stats().appendsWaiting,
    projectionLags: lags,
    unpricedModels: () => unpriced.count(),
  });
}

function providersOf(
  { config, log, appender, redactor, registry, prices }: House,
  models: ReadModels,
  clock: Clock,
  status: StatusSource,
): Provider[] {
  const checks: readonly HealthCheck[] = [
    logIsWritable(() => {
      log.tryToWrite();
    }),
    projectionsKeepUp(status.lags),
    diskHasRoom(config.home),
  ];
  const content = new ContentStore(join(config.home, 'content'), limits.contentRecentCharactersMax);
  const routes = [...contexts.flatMap(({ routes }) => routes), ...statusRoutes];
  const description: ApiDescription = { routes, version };
  return [
    ...contexts.flatMap(({ providers }) => providers),
    { provide: EventLog, useValue: log },
    { provide: Webhooks, useValue: makeWebhooks({ home: config.home, log, clock, redactor }) },
    { provide: Appender, useValue: appender },
    { provide: ContentStore, useValue: content },
    { provide: Redactor, useValue: redactor },
    { provide: ReadModels, useValue: models },
    { provide: Clock, useValue: clock },
    { provide: LivePrices, useValue: prices },
    { provide: PriceSource, useValue: prices },
    { provide: Registry, useValue: registry },
    { provide: HEALTH_CHECKS, useValue: checks },
    { provide: API_DESCRIPTION, useValue: description },
    { provide: STATUS_SOURCE, useValue: status },
  ];
}

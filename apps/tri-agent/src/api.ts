import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
import { Registry } from 'prom-client';
import { EventLog } from '#eventstore/src/log.js';
import { guard, needOnApiPort } from '#libs/access/guard.js';
import { registerBudgetMetrics } from '#libs/budgets/budgets.metrics.js';
import { Budgets } from '#libs/budgets/budgets.js';
import { NoEstimate } from '#libs/budgets/spend-source.js';
import { registerDispatchMetrics } from '#libs/dispatch/dispatch.metrics.js';
import { Dispatcher } from '#libs/dispatch/dispatcher.js';
import { OutputStore } from '#libs/dispatch/output-store.js';
import { Snapshots } from '#libs/dispatch/snapshots.js';
import { TelemetryWatch } from '#libs/dispatch/telemetry-watch.js';
import { RegisteredTokens } from '#libs/dispatch/worker-tokens.js';
import { AgentProcesses } from '#libs/hooks/agent-processes.js';
import { Gate } from '#libs/hooks/gate.js';
import { registerGauges } from '#libs/metrics/gauges.js';
import {
  diskHasRoom,
  logIsWritable,
  projectionsKeepUp,
  type HealthCheck,
} from '#libs/metrics/health.js';
import { HEALTH_CHECKS } from '#libs/metrics/health.controller.js';
import { LivePrices } from '#libs/prices/live-prices.js';
import { UnpricedModelsQueries } from '#libs/prices/unpriced-models.queries.js';
import { SpendQueries } from '#libs/sessions/spend.queries.js';
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
import { SpendOfUsage } from './spend-of-usage.js';
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
  const budgets = makeBudgets(house, models, clock);
  const dispatcher = makeDispatcher(house, clock, budgets);
  const telemetry = new TelemetryWatch(house.log, dispatcher, say);
  const processes = new AgentProcesses(house.log, say);
  registerDispatchMetrics(house.registry, dispatcher);
  registerBudgetMetrics(house.registry, budgets);
  registerFigures(house, status, new UnpricedModelsQueries(models, house.prices));
  const app = await createHttpApp({
    controllers: [
      ...contexts.flatMap(({ controllers }) => controllers),
      StatusController,
      DocsController,
    ],
    providers: providersOf(house, models, clock, status, { dispatcher, budgets, processes }),
    guard: guard({
      token,
      hooksToken,
      allowed: { hosts: config.allowedHosts, origins: config.allowedOrigins },
      needOf: needOnApiPort(isLoopback(config.bind)),
      clock,
      workers: new RegisteredTokens(dispatcher),
      refuse: (request, reply, refusal) => sendProblem(reply, request.url, refusal),
    }),
    logger: ['error', 'warn'],
  });
  await budgets.start();
  const http = await listen(app, config, 'httpPort');
  dispatcher.start();
  telemetry.start();
  processes.start();
  status.ports = { http, ...otlp };
  return {
    http,
    stop: async () => {
      await app.close();
      await processes.stop();
      await telemetry.stop();
      await dispatcher.stop();
      await budgets.stop();
      models.close();
    },
  };
}

function makeDispatcher({ config, log }: House, clock: Clock, budgets: Budgets): Dispatcher {
  return new Dispatcher({
    log,
    clock,
    leaseMs: config.leaseMs,
    budgets: () => budgets.readings(),
    snapshots: new Snapshots({ home: config.home, report: say }),
    report: say,
  });
}

function makeBudgets({ config, log }: House, models: ReadModels, clock: Clock): Budgets {
  return new Budgets({
    log,
    source: new SpendOfUsage(new SpendQueries(models)),
    estimated: new NoEstimate(),
    clock,
    defaults: {
      wanted: config.defaultBudgets === 'on',
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    report: say,
  });
}

function say(sentence: string): void {
  console.error(sentence);
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
  { config, log, appender, redactor, registry, prices, gate }: House,
  models: ReadModels,
  clock: Clock,
  status: StatusSource,
  {
    dispatcher,
    budgets,
    processes,
  }: { dispatcher: Dispatcher; budgets: Budgets; processes: AgentProcesses },
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
    { provide: Appender, useValue: appender },
    { provide: Dispatcher, useValue: dispatcher },
    { provide: Budgets, useValue: budgets },
    { provide: OutputStore, useValue: new OutputStore(join(config.home, 'output')) },
    { provide: ContentStore, useValue: content },
    { provide: Gate, useValue: gate },
    { provide: AgentProcesses, useValue: processes },
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

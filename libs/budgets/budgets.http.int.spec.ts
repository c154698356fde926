import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { createHttpApp } from '#platform/http-app.js';
import { clockAt } from '#platform/projection.specification.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { Redactor } from '#platform/redaction.js';
import { Budgets } from './budgets.js';
import { budgetShape, budgetsPage, changedShape, historyPage } from './budgets.shapes.js';
import { budgets as context } from './index.js';
import { ListedSpend, spentAt } from './listed-spend.spec-helper.js';
import { budgetsProjections } from './projections.js';
import { NoEstimate } from './spend-source.js';

const NOW = '2026-11-20T12:00:00.000Z';
const clock = clockAt(NOW);

let folder: string;
let log: MemoryLog;
let source: ListedSpend;
let budgets: Budgets;
let writer: ReadModelsWriter;
let models: ReadModels;
let app: NestFastifyApplication;
let url: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'budgets-'));
  const file = join(folder, 'read-models.db');
  [log, source] = [new MemoryLog(), new ListedSpend()];
  writer = ReadModelsWriter.open(file, budgetsProjections, 0n, () => undefined);
  models = new ReadModels(file);
  const defaults = { wanted: false, timezone: 'Europe/Berlin' };
  const report = (): void => undefined;
  budgets = new Budgets({ log, source, estimated: new NoEstimate(), clock, defaults, report });
  await budgets.start();
  app = await createHttpApp({
    controllers: context.controllers,
    providers: [
      ...context.providers,
      { provide: Budgets, useValue: budgets },
      { provide: ReadModels, useValue: models },
      { provide: Redactor, useValue: new Redactor([]) },
    ],
    guard: (_request, _reply, done) => {
      done();
    },
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  url = `${await app.getUrl()}/api/v1/budgets`;
});
afterEach(async () => {
  await app.close();
  await budgets.stop();
  models.close();
  writer.close();
  rmSync(folder, { recursive: true });
});

async function ask(path: string, method = 'GET', wish?: object) {
  const answer = await fetch(url + path, {
    method,
    ...(wish && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) }),
  });
  const text = await answer.text();
  const body: unknown = text === '' ? null : JSON.parse(text);
  return { status: answer.status, body };
}
const spend = (usd: number) => source.list.push(spentAt(Date.parse(NOW) - 1_000, usd * 1e9));
const reason = 'release day';

describe('A budget over HTTP', () => {
  test('is made by what is said of it; the rest is usual', async () => {
    spend(3);
    const { status, body } = await ask('/day', 'PUT', { limitUsd: '20' });
    expect([status, changedShape.parse(body)]).toMatchObject([
      200,
      {
        ...{ budgetId: 'day', scope: 'all', window: 'day', timezone: 'Europe/Berlin' },
        ...{ limitUsd: '20.000000000', limitTokens: null, origin: 'operator', changed: true },
        thresholds: { warn: 50, gate: 75, pause: 90 },
        ...{ standing: 'open', percent: 15, spentUsd: '3.000000000', unpricedRequests: 0 },
        ...{ estimatedUsd: '0.000000000', remainingUsd: '17.000000000', remainingTokens: null },
        ...{ windowStart: '2026-11-19T23:00:00.000Z', windowEnd: '2026-11-20T23:00:00.000Z' },
      },
    ]);
    expect(budgetShape.parse((await ask('/day')).body)).toMatchObject({ percent: 15 });
  });

  test('keeps what is not said when it is set again', async () => {
    await ask('/core', 'PUT', { scope: 'team:core', window: 'total', limitTokens: 50 });
    const thresholds = { gate: null, pause: 80 };
    const { body } = await ask('/core', 'PUT', { thresholds });
    expect(changedShape.parse(body)).toMatchObject({
      ...{ scope: 'team:core', window: 'total', limitTokens: 50, limitUsd: null },
      thresholds: { warn: 50, gate: null, pause: 80 },
      ...{ windowStart: null, windowEnd: null },
    });
  });

  test('trips, is raised, reset and removed, and its history tells by whom and why', async () => {
    await ask('/day', 'PUT', { limitUsd: 2 });
    spend(2.5);
    await ask('/other', 'PUT', { limitUsd: 100 });
    expect((await ask('/day')).body).toMatchObject({ standing: 'trip', percent: 125 });
    const early = await ask('/day/reset', 'POST', { reason });
    expect(early).toMatchObject({ status: 409, body: { code: 'BUDGET_STILL_SPENT' } });
    const raised = await ask('/day/raise', 'POST', { limitUsd: '8', reason });
    expect(raised).toMatchObject({ status: 200, body: { standing: 'trip', percent: 31 } });
    expect(await ask('/day/reset', 'POST', { reason })).toMatchObject({
      body: { standing: 'open', changed: true },
    });
    expect(await ask('/day/reset', 'POST', { reason })).toMatchObject({ body: { changed: false } });
    const removed = await ask(`/day?reason=${encodeURIComponent(reason)}`, 'DELETE');
    expect(removed).toEqual({ status: 204, body: null });
    expect((await ask('/day')).status).toBe(404);

    writer.apply(await log.read('budgets', 0, 100));
    const first = historyPage.parse((await ask('/day/history?limit=3')).body);
    expect(first.items).toMatchObject([
      { type: 'BudgetRemoved', actor: 'operator:api', reason },
      { type: 'BudgetReset', actor: 'operator:api', reason },
      { type: 'BudgetSet', limitUsd: '8.000000000', reason },
    ]);
    const rest = await ask(`/day/history?cursor=${first.nextCursor ?? ''}`);
    expect(historyPage.parse(rest.body)).toMatchObject({
      items: [
        { type: 'BudgetTripped', actor: 'budgets', step: 'trip', spentUsd: '2.500000000' },
        { type: 'BudgetSet', limitUsd: '2.000000000' },
      ],
      nextCursor: null,
    });
  });

  test('stands in pages with the others', async () => {
    for (const id of ['c', 'a', 'b']) await ask(`/${id}`, 'PUT', { limitUsd: 1 });
    const page = budgetsPage.parse((await ask('?limit=2')).body);
    expect(page.items.map(({ budgetId }) => budgetId)).toEqual(['a', 'b']);
    const rest = await ask(`?cursor=${page.nextCursor ?? ''}`);
    expect(rest.body).toMatchObject({ items: [{ budgetId: 'c' }], nextCursor: null });
  });

  test('is unknown, and not nothing, while the read model is not ready', async () => {
    await ask('/day', 'PUT', { limitUsd: 1 });
    source.isReady = false;
    expect((await ask('/day')).body).toMatchObject({
      standing: 'unknown',
      spentUsd: null,
      percent: null,
    });
    const refused = await ask('/day/raise', 'POST', { limitUsd: 5, reason });
    expect(refused).toMatchObject({ status: 503, body: { code: 'READ_MODEL_BUILDING' } });
  });

  test.each([
    ['PUT', '/x', { limitUsd: '-1' }, 'BUDGET_LIMIT_INVALID'],
    ['PUT', '/x', { limitUsd: 0 }, 'BUDGET_LIMIT_INVALID'],
    ['PUT', '/x', { limitUsd: '1000000.01' }, 'BUDGET_LIMIT_INVALID'],
    ['PUT', '/x', { limitUsd: '0.0000000001' }, 'BUDGET_LIMIT_INVALID'],
    ['PUT', '/x', { limitTokens: 1.5 }, 'BUDGET_LIMIT_INVALID'],
    ['PUT', '/x', {}, 'BUDGET_LIMIT_INVALID'],
    ['PUT', '/x', { limitUsd: 1, limitTokens: 1 }, 'BAD_REQUEST'],
    ['PUT', '/x', { limitUsd: 1, scope: 'everybody' }, 'BAD_REQUEST'],
    ['PUT', '/x', { limitUsd: 1, scope: 'agent:hal' }, 'BAD_REQUEST'],
    ['PUT', '/x', { limitUsd: 1, window: 'year' }, 'BAD_REQUEST'],
    ['PUT', '/x', { limitUsd: 1, timezone: 'Mars/Base' }, 'TIME_ZONE_UNKNOWN'],
    ['PUT', '/x', { limitUsd: 1, thresholds: { warn: 95 } }, 'BUDGET_THRESHOLDS_INVALID'],
    ['PUT', '/x', { limitUsd: 1, thresholds: { warn: 0 } }, 'BAD_REQUEST'],
    ['PUT', '/a%20b', { limitUsd: 1 }, 'BAD_REQUEST'],
    ['POST', '/no/raise', { limitUsd: 1, reason }, 'BUDGET_NOT_FOUND'],
    ['POST', '/no/reset', { reason }, 'BUDGET_NOT_FOUND'],
    ['POST', '/no/reset', { reason: ' ' }, 'BAD_REQUEST'],
    ['POST', '/no/raise', { reason }, 'BAD_REQUEST'],
    ['DELETE', '/no?reason=r', undefined, 'BUDGET_NOT_FOUND'],
    ['DELETE', '/no', undefined, 'BAD_REQUEST'],
    ['GET', '/no', undefined, 'BUDGET_NOT_FOUND'],
    ['GET', '/no/history', undefined, 'BUDGET_NOT_FOUND'],
    ['GET', '?cursor=nonsense', undefined, 'BAD_CURSOR'],
  ])('refuses %s %s with %j: %s', async (method, path, wish, code) => {
    expect((await ask(path, method, wish)).body).toMatchObject({ code });
    expect(await log.read('budgets', 0, 10)).toEqual([]);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { Clock } from '#platform/clock.js';
import { API_DESCRIPTION, DocsController } from '#platform/docs.controller.js';
import { createHttpApp } from '#platform/http-app.js';
import { clockAt } from '#platform/projection.specification.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { prices } from './index.js';
import { LivePrices } from './live-prices.js';
import { pricesPage, publicationShape, type PriceItem } from './prices.shapes.js';
import { pricesProjections } from './projections.js';

const clock = clockAt('2026-11-20T11:00:00.000Z');
/** For specifications: the context behind real HTTP, on a log in memory. */
let folder: string;
let live: LivePrices;
let writer: ReadModelsWriter;
let models: ReadModels;
let app: NestFastifyApplication;
export let url: string;

export async function serve(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'prices-'));
  live = new LivePrices(new MemoryLog(), clock, () => undefined);
  await live.start();
  const file = join(folder, 'read-models.db');
  writer = ReadModelsWriter.open(file, pricesProjections, 0n, () => undefined);
  models = new ReadModels(file);
  app = await createHttpApp({
    controllers: [...prices.controllers, DocsController],
    providers: [
      ...prices.providers,
      { provide: LivePrices, useValue: live },
      { provide: ReadModels, useValue: models },
      { provide: Clock, useValue: clock },
      { provide: API_DESCRIPTION, useValue: { routes: prices.routes, version: '0' } },
    ],
    guard: (_request, _reply, done) => {
      done();
    },
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
}

export async function stop(): Promise<void> {
  await app.close();
  await live.stop();
  models.close();
  writer.close();
  rmSync(folder, { recursive: true });
}

export async function ask(
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const init =
    body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        };
  const answer = await fetch(`${url}/api/v1/prices${path}`, init);
  return { status: answer.status, body: await answer.json() };
}
export async function publish(...entries: unknown[]) {
  const { status, body } = await ask('', { source: 'the contract', prices: entries });
  expect([status, body]).toEqual([200, expect.anything()]);
  return publicationShape.parse(body);
}
export async function list(query = ''): Promise<PriceItem[]> {
  const { items, nextCursor } = pricesPage.parse((await ask(`?limit=500${query}`)).body);
  expect(nextCursor).toBeNull();
  return items;
}

/** Puts what happened into the read models. */
export function happen(...events: RecordedDomainEvent[]): void {
  writer.apply(events);
}

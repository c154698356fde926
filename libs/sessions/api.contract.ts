import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { EventLog } from '#eventstore/src/log.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { Clock } from '#platform/clock.js';
import { API_DESCRIPTION, DocsController } from '#platform/docs.controller.js';
import { createHttpApp } from '#platform/http-app.js';
import { ListLog } from '#platform/list-log.specification.js';
import { clockAt } from '#platform/projection.specification.js';
import { PriceSource } from '#platform/price-source.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { sessions } from './index.js';
import { sessionsProjections } from './projections.js';

const NOW = '2026-11-20T11:00:00.000Z';

/** For specifications: the context behind real HTTP, filled by `happen`. */
let folder: string;
let log: ListLog;
let writer: ReadModelsWriter;
let models: ReadModels;
let app: NestFastifyApplication;
export let url: string;

export async function serve(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'sessions-'));
  log = new ListLog();
  const file = join(folder, 'read-models.db');
  writer = ReadModelsWriter.open(file, sessionsProjections, 0n, () => undefined);
  models = new ReadModels(file);
  app = await createHttpApp({
    controllers: [...sessions.controllers, DocsController],
    providers: [
      ...sessions.providers,
      { provide: EventLog, useValue: log },
      { provide: ReadModels, useValue: models },
      { provide: Clock, useValue: clockAt(NOW) },
      { provide: PriceSource, useValue: { costOf: () => undefined } },
      { provide: API_DESCRIPTION, useValue: { routes: sessions.routes, version: '0' } },
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
  models.close();
  writer.close();
  rmSync(folder, { recursive: true });
}

export function happen(...events: RecordedDomainEvent[]): void {
  log.add(...events);
  writer.apply(events);
}

export async function get(path: string): Promise<{ status: number; type: string; body: unknown }> {
  const response = await fetch(url + path);
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, body: await response.json() };
}

interface Page {
  items: Record<string, unknown>[];
  nextCursor: string | null;
}
export async function page(path: string): Promise<Page> {
  const { status, body } = await get(path);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body as Page;
}

export async function all(path: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const more: Page = await page(cursor === '' ? path : `${path}&cursor=${cursor}`);
    items.push(...more.items);
    cursor = more.nextCursor;
  }
  return items;
}

export async function problem(path: string): Promise<Record<string, unknown>> {
  const { type, status, body } = await get(path);
  expect(type).toBe('application/problem+json; charset=utf-8');
  expect(body).toMatchObject({ status });
  return body as Record<string, unknown>;
}

/** The read models as a newer version finds them at its start, with `head` events still to apply. */
export function upgrade(head: bigint): void {
  writer.close();
  const file = join(folder, 'read-models.db');
  const raised = sessionsProjections.map((it) => ({ ...it, version: it.version + 1 }));
  writer = ReadModelsWriter.open(file, raised, head, () => undefined);
}

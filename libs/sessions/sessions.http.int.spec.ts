import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { EventLog } from '#eventstore/src/log.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { Clock } from '#platform/clock.js';
import { API_DESCRIPTION, DocsController } from '#platform/docs.controller.js';
import { createHttpApp } from '#platform/http-app.js';
import { ListLog } from '#platform/list-log.specification.js';
import { clockAt, recorded } from '#platform/projection.specification.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { sessions } from './index.js';
import { sessionsProjections } from './projections.js';
import { at, history, usageRecorded } from './session-facts.specification.js';
import { eventPage, sessionPage, sessionShape, usagePage } from './sessions.shapes.js';

const NOW = '2026-11-20T11:00:00.000Z';

let folder: string;
let log: ListLog;
let writer: ReadModelsWriter;
let models: ReadModels;
let app: NestFastifyApplication;
let url: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sessions-'));
  log = new ListLog();
  const file = join(folder, 'read-models.db');
  writer = ReadModelsWriter.open(file, sessionsProjections, 0n, () => undefined);
  models = new ReadModels(file);
  app = await createHttpApp({
    controllers: [...sessions.api!.controllers, DocsController],
    providers: [
      ...sessions.api!.providers,
      { provide: EventLog, useValue: log },
      { provide: ReadModels, useValue: models },
      { provide: Clock, useValue: clockAt(NOW) },
      { provide: API_DESCRIPTION, useValue: { routes: sessions.api!.routes, version: '0' } },
    ],
    guard: (_request, _reply, done) => {
      done();
    },
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterEach(async () => {
  await app.close();
  models.close();
  writer.close();
  rmSync(folder, { recursive: true });
});

function happen(...events: RecordedDomainEvent[]): void {
  log.add(...events);
  writer.apply(events);
}

async function get(path: string): Promise<{ status: number; type: string; body: unknown }> {
  const response = await fetch(url + path);
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, body: await response.json() };
}

interface Page {
  items: Record<string, unknown>[];
  nextCursor: string | null;
}
async function page(path: string): Promise<Page> {
  const { status, body } = await get(path);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body as Page;
}

async function all(path: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const more: Page = await page(cursor === '' ? path : `${path}&cursor=${cursor}`);
    items.push(...more.items);
    cursor = more.nextCursor;
  }
  return items;
}

async function problem(path: string): Promise<Record<string, unknown>> {
  const { type, status, body } = await get(path);
  expect(type).toBe('application/problem+json; charset=utf-8');
  expect(body).toMatchObject({ status });
  return body as Record<string, unknown>;
}

describe('GET /api/v1/sessions', () => {
  test('lists sessions with the latest activity first, in the documented shape', async () => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ sessionId: 'old', taskId: 't' }), at(1)],
        ['UsageRecorded', usageRecorded({ sessionId: 'new', cacheReadTokens: 99_985 }), at(57)],
      ),
    );
    const body = await page('/api/v1/sessions');
    expect(sessionPage.safeParse(body).error).toBeUndefined();
    expect(body.nextCursor).toBeNull();
    expect(body.items.map((it) => it.sessionId)).toEqual(['new', 'old']);
    expect(body.items[0]).toMatchObject({
      agent: 'claude-code',
      model: 'claude-sonnet-4-5-20250929',
      state: 'active',
      tokens: { input: 10, output: 5, cacheRead: 99_985, cacheCreation: 20, reasoning: null },
      costUsd: '0.001000000',
      contextTokens: 100_020,
      contextWindow: 200_000,
      contextFill: 0.5001,
      startedAt: at(57),
      lastActivityAt: at(57),
      taskId: null,
    });
  });

  test('tells by the last activity whether a session is active, idle or ended', async () => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ sessionId: 'active' }), at(55)],
        ['UsageRecorded', usageRecorded({ sessionId: 'idle' }), at(54, 59)],
        ['UsageRecorded', usageRecorded({ sessionId: 'ended' }), at(-1_400)],
      ),
    );
    for (const state of ['active', 'idle', 'ended']) {
      const { items } = await page(`/api/v1/sessions?state=${state}`);
      expect(items).toMatchObject([{ sessionId: state, state }]);
    }
  });

  test('filters by agent, model, project and last activity', async () => {
    const other = { agent: 'codex', model: 'gpt-5.5', project: 'p' } as const;
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ sessionId: 'a' }), at(1)],
        ['UsageRecorded', usageRecorded({ sessionId: 'b', ...other }), at(2)],
      ),
    );
    for (const filter of ['agent=codex', 'model=gpt-5.5', 'project=p', `since=${at(2)}`]) {
      const { items } = await page(`/api/v1/sessions?${filter}`);
      expect(items).toMatchObject([{ sessionId: 'b', contextWindow: 258_400 }]);
    }
  });

  test('pages without repeating a session that becomes active meanwhile', async () => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ sessionId: 's1' }), at(1)],
        ['UsageRecorded', usageRecorded({ sessionId: 's2' }), at(2)],
        ['UsageRecorded', usageRecorded({ sessionId: 's3' }), at(2)],
        ['UsageRecorded', usageRecorded({ sessionId: 's4' }), at(4)],
      ),
    );
    const first = await page('/api/v1/sessions?limit=2');
    expect(first.items.map((it) => it.sessionId)).toEqual(['s4', 's3']);
    happen(recorded(5, 'UsageRecorded', usageRecorded({ sessionId: 's3' }), at(5)));
    const second = await page(`/api/v1/sessions?limit=2&cursor=${first.nextCursor}`);
    expect(second.items.map((it) => it.sessionId)).toEqual(['s2', 's1']);
    expect(second.nextCursor).toBeNull();
  });

  test.each([
    ['limit=0', 'limit'],
    [`limit=${limits.pageItemsMax + 1}`, 'limit'],
    ['agent=hal', 'agent'],
    ['agent=codex&agent=gemini', 'agent'],
    ['since=yesterday', 'since'],
    [`model=${'x'.repeat(201)}`, 'model'],
  ])('refuses %s and names the field', async (query, field) => {
    expect(await problem(`/api/v1/sessions?${query}`)).toMatchObject({
      code: 'BAD_REQUEST',
      field,
    });
  });

  test('refuses a parameter that it does not know', async () => {
    const { detail } = await problem('/api/v1/sessions?stat=active');
    expect(detail).toContain('stat');
  });

  test.each(['x', 'WzFd', Buffer.from('[1,"codex",{}]').toString('base64url')])(
    'refuses the cursor %s',
    async (cursor) => {
      const body = await problem(`/api/v1/sessions?cursor=${cursor}`);
      expect(body).toMatchObject({ code: 'BAD_CURSOR', status: 400 });
    },
  );

  test('answers 503 with the progress while the read model is being built', async () => {
    writer.close();
    const file = join(folder, 'read-models.db');
    const raised = sessionsProjections.map((it) => ({ ...it, version: it.version + 1 }));
    writer = ReadModelsWriter.open(file, raised, 10n, () => undefined);
    const response = await fetch(`${url}/api/v1/sessions`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ code: 'READ_MODEL_BUILDING', percent: 0 });
  });
});

describe('GET /api/v1/sessions/{id}', () => {
  test('gives one session', async () => {
    happen(...history(['UsageRecorded', usageRecorded({ sessionId: 'a/b ü' }), at(1)]));
    const { body } = await get(`/api/v1/sessions/${encodeURIComponent('a/b ü')}`);
    expect(sessionShape.parse(body)).toMatchObject({ sessionId: 'a/b ü', requests: 1 });
  });

  test('answers 404 for an unknown id', async () => {
    expect(await problem('/api/v1/sessions/none')).toMatchObject({
      code: 'SESSION_NOT_FOUND',
      status: 404,
      instance: '/api/v1/sessions/none',
    });
  });

  test('asks for the agent when several have the id', async () => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ agent: 'codex' }), at(1)],
        ['UsageRecorded', usageRecorded({ agent: 'gemini' }), at(1)],
      ),
    );
    const body = await problem('/api/v1/sessions/s1');
    expect(body).toMatchObject({ code: 'SESSION_AMBIGUOUS', agents: ['codex', 'gemini'] });
    const one = await get('/api/v1/sessions/s1?agent=gemini');
    expect(one.body).toMatchObject({ agent: 'gemini' });
  });
});

describe('GET /api/v1/sessions/{id}/events', () => {
  test('gives the events of the session in order, page by page', async () => {
    const usage = usageRecorded();
    happen(
      ...history(
        ['UsageRecorded', usage, at(1)],
        ['UsageRecorded', usageRecorded({ sessionId: 'other' }), at(2)],
        ['UsageRecorded', usage, at(3)],
        ['UsageRecorded', usage, at(4)],
      ),
    );
    const first = await page('/api/v1/sessions/s1/events?limit=1');
    expect(eventPage.safeParse(first).error).toBeUndefined();
    expect(first.items[0]).toMatchObject({ position: '1', type: 'UsageRecorded', data: usage });
    const items = await all('/api/v1/sessions/s1/events?limit=2');
    expect(items.map((it) => it.position)).toEqual(['1', '3', '4']);
  });
});

describe('GET /api/v1/usage', () => {
  beforeEach(() => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded(), at(0, 59)],
        ['UsageRecorded', usageRecorded({ sessionId: 's2', model: 'b' }), at(1)],
        ['UsageRecorded', usageRecorded({ agent: 'codex', costNanoUsd: null }), at(30)],
        ['UsageRecorded', usageRecorded({ reasoningTokens: 2 }), at(-60)],
        ['UsageRecorded', usageRecorded(), at(-24 * 60)],
      ),
    );
  });

  test.each([
    ['minute', [at(-1_440), at(-60), at(0), at(1), at(30)], 1],
    ['hour', [at(-1_440), at(-60), at(0)], 3],
    ['day', ['2026-11-19T00:00:00.000Z', '2026-11-20T00:00:00.000Z'], 4],
    ['model', ['b', 'claude-sonnet-4-5-20250929'], 4],
    ['agent', ['claude-code', 'codex'], 1],
    ['session', ['s1', 's1', 's2'], 1],
  ])('sums by %s', async (by, keys, requestsOfLast) => {
    const body = await page(`/api/v1/usage?by=${by}`);
    expect(usagePage.safeParse(body).error).toBeUndefined();
    expect(body.items.map((it) => it.key)).toEqual(keys);
    expect(body.items.at(-1)).toMatchObject({ requests: requestsOfLast });
    expect(body).toMatchObject({
      total: {
        requests: 5,
        unpricedRequests: 1,
        costUsd: '0.004000000',
        tokens: { input: 50, output: 25, cacheRead: 500, cacheCreation: 100, reasoning: 2 },
      },
    });
    expect(await all(`/api/v1/usage?by=${by}&limit=1`)).toEqual(body.items);
  });

  test('counts only the minutes from since and before until', async () => {
    const body = await page(`/api/v1/usage?by=agent&since=${at(0)}&until=${at(30)}`);
    expect(body).toMatchObject({ total: { requests: 2 }, items: [{ key: 'claude-code' }] });
  });

  test('knows no cost where no request had a price', async () => {
    const { items } = await page('/api/v1/usage?by=agent');
    expect(items[1]).toMatchObject({ key: 'codex', costUsd: null, unpricedRequests: 1 });
  });

  test('is empty and free where nothing was used', async () => {
    const body = await page(`/api/v1/usage?by=day&since=${at(59)}`);
    expect(body).toMatchObject({ items: [], nextCursor: null, total: { costUsd: '0.000000000' } });
  });

  test('needs to know by what', async () => {
    expect(await problem('/api/v1/usage')).toMatchObject({ code: 'BAD_REQUEST', field: 'by' });
  });
});

describe('What is not there', () => {
  test('is answered with a problem, without repeating what was asked', async () => {
    const body = await problem('/api/v1/%3Cscript%3E?token=secret');
    expect(body).toMatchObject({ code: 'NOT_FOUND', status: 404 });
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('and a malformed address too', async () => {
    expect(await problem('/api/v1/%zz')).toMatchObject({ code: 'BAD_REQUEST', status: 400 });
  });
});

describe('The API document', () => {
  test('describes every route with its answer', async () => {
    const { body } = await get('/api/docs-json');
    const { paths } = body as { paths: Record<string, { get: { responses: object } }> };
    expect(Object.keys(paths)).toEqual([
      '/api/v1/sessions',
      '/api/v1/sessions/{id}',
      '/api/v1/sessions/{id}/events',
      '/api/v1/usage',
      '/api/v1/stream',
    ]);
    expect(paths['/api/v1/sessions']).toMatchObject({
      get: {
        parameters: expect.arrayContaining([
          expect.objectContaining({ name: 'state', in: 'query', required: false }),
        ]) as unknown,
        responses: {
          200: {
            content: {
              'application/json': {
                schema: { properties: { items: { items: { properties: { costUsd: {} } } } } },
              },
            },
          },
          503: { description: 'READ_MODEL_BUILDING' },
        },
      },
    });
  });

  test('comes with a page that loads only what is served here', async () => {
    const html = await (await fetch(`${url}/api/docs`)).text();
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((it) => it[1]!);
    expect(links).toHaveLength(3);
    for (const link of links) expect((await fetch(url + link)).status).toBe(200);
    expect((await fetch(`${url}/api/docs/package.json`)).status).toBe(404);
    expect((await fetch(`${url}/api/docs/..%2fpackage.json`)).status).toBe(404);
  });
});

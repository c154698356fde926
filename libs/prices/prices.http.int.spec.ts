import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { Clock } from '#platform/clock.js';
import { API_DESCRIPTION, DocsController } from '#platform/docs.controller.js';
import { createHttpApp } from '#platform/http-app.js';
import { clockAt, recorded } from '#platform/projection.specification.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { prices } from './index.js';
import { LivePrices } from './live-prices.js';
import { entry, from } from './price-entry.specification.js';
import { missingPage, pricesPage, publicationShape, type PriceItem } from './prices.shapes.js';
import { pricesProjections } from './projections.js';
import { shippedPrices } from './shipped-prices.js';

const clock = clockAt('2026-11-20T11:00:00.000Z');
let folder: string;
let live: LivePrices;
let writer: ReadModelsWriter;
let models: ReadModels;
let app: NestFastifyApplication;
let url: string;

beforeEach(async () => {
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
});
afterEach(async () => {
  await app.close();
  await live.stop();
  models.close();
  writer.close();
  rmSync(folder, { recursive: true });
});

async function ask(path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
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
async function publish(...entries: unknown[]) {
  const { status, body } = await ask('', { source: 'the contract', prices: entries });
  expect([status, body]).toEqual([200, expect.anything()]);
  return publicationShape.parse(body);
}
async function list(query = ''): Promise<PriceItem[]> {
  const { items, nextCursor } = pricesPage.parse((await ask(`?limit=500${query}`)).body);
  expect(nextCursor).toBeNull();
  return items;
}

describe('POST /api/v1/prices', () => {
  test('publishes what is sound and reports the rest by its index', async () => {
    const answer = await publish(
      entry(),
      entry({ model: 'n', usdPerMillionTokens: { input: '-1', output: '1' } }),
      entry({ model: 'o', ...from('2026-01-01') }),
      entry({ model: 'o', ...from('2026-02-01') }),
    );
    expect(answer).toEqual({
      priceVersion: expect.stringMatching(
        /^operator-2026-11-20T11:00:00.000Z-[0-9a-f]{8}$/,
      ) as string,
      accepted: 1,
      refused: [
        {
          index: 1,
          reason: expect.stringContaining('usdPerMillionTokens.input') as string,
          overlaps: [],
        },
        { index: 2, reason: expect.stringContaining('overlaps') as string, overlaps: [3] },
        { index: 3, reason: expect.stringContaining('overlaps') as string, overlaps: [2] },
      ],
      warnings: [],
    });
    expect((await list('&provider=anthropic&model=m')).map(({ model }) => model)).toContain('m');
  });

  test('tells of gaps, and of prices that it puts out of force', async () => {
    await publish(entry(), entry({ promptTokensAbove: 200_000 }));
    const { warnings } = await publish(
      entry({
        ...from('2026-01-01', '2026-02-01'),
        usdPerMillionTokens: { input: '4', output: '5' },
      }),
      entry({ ...from('2026-03-01'), usdPerMillionTokens: { input: '5', output: '6' } }),
    );
    expect(warnings).toEqual([
      'm has no price from 2026-02-01T00:00:00.000Z to 2026-03-01T00:00:00.000Z.',
      expect.stringContaining('above 200000 prompt tokens no longer counts'),
    ]);
  });

  test('of what counts already publishes nothing', async () => {
    expect((await publish(entry())).priceVersion).not.toBeNull();
    expect(await publish(entry())).toMatchObject({ priceVersion: null, accepted: 1, refused: [] });
  });

  test('keeps all of several that come at once', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `racing-${index}`);
    const answers = await Promise.all(names.map((model) => publish(entry({ model }))));
    expect(new Set(answers.map(({ priceVersion }) => priceVersion)).size).toBe(12);
    expect((await list('&model=racing')).map(({ model }) => model).sort()).toEqual(names.sort());
  });

  test.each([
    [{}, 'prices'],
    [{ prices: [] }, 'prices'],
    [{ prices: 'all' }, 'prices'],
    [{ prices: [1], more: 1 }, ''],
    [{ prices: Array(limits.pricesPerPublicationMax + 1).fill(1) }, 'prices'],
    [{ prices: [1], source: 's'.repeat(501) }, 'source'],
    [[], ''],
    ['text', ''],
  ])('refuses a body that is none: %.60j', async (body, field) => {
    expect(await ask('', body)).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST', field },
    });
  });

  test('refuses prices that together are too large for one event', async () => {
    const long = (index: number) => `${index}-${'€'.repeat(190)}`;
    const large = Array.from({ length: 500 }, (_, index) => entry({ model: long(index) }));
    expect(await ask('', { prices: large })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_EVENT' },
    });
    expect(await list('&model=€')).toEqual([]);
  });
});

describe('GET /api/v1/prices', () => {
  test('shows the book with exact dollars, where each price is from, and in pages', async () => {
    const items = await list();
    expect(items).toHaveLength(shippedPrices.entries.length);
    expect(items.find(({ model }) => model === 'claude-haiku-4-5')).toEqual({
      provider: 'anthropic',
      model: 'claude-haiku-4-5',
      tier: 'standard',
      promptTokensAbove: 0,
      validFrom: '1970-01-01T00:00:00.000Z',
      validUntil: null,
      usdPerMillionTokens: {
        input: '1.000000000',
        output: '5.000000000',
        cacheRead: '0.100000000',
        cacheCreation: '1.250000000',
        cacheCreation1h: '2.000000000',
      },
      origin: 'shipped',
      priceVersion: shippedPrices.priceVersion,
      source: shippedPrices.source,
      superseded: false,
    });
  });

  test('goes on in the list as it was when more is published between two pages', async () => {
    const all = await list();
    const paged: PriceItem[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '?limit=50' : `?limit=50&cursor=${cursor}`;
      const page = pricesPage.parse((await ask(query)).body);
      paged.push(...page.items);
      cursor = page.nextCursor;
      await publish(entry({ provider: 'a', model: `first-${paged.length}` }));
    }
    expect(paged).toEqual(all);
  });

  test('leaves out what was superseded, unless all is asked for', async () => {
    const usd = (input: string) => ({ usdPerMillionTokens: { input, output: '9' } });
    await publish(entry({ model: 'claude-haiku-4-5', ...usd('1.1') }));
    await publish(entry({ model: 'claude-haiku-4-5', ...usd('1.2') }));
    const query = '&model=haiku-4-5';
    expect((await list(query)).map((it) => it.usdPerMillionTokens.input)).toEqual(['1.200000000']);
    const shown = (await list(`${query}&all=true`)).map((it) => [
      it.usdPerMillionTokens.input,
      it.origin,
      it.superseded,
    ]);
    expect(shown).toEqual([
      ['1.200000000', 'operator', false],
      ['1.100000000', 'operator', true],
      ['1.000000000', 'shipped', true],
    ]);
  });

  test('keeps what still counts at another time or for larger prompts', async () => {
    await publish(entry({ model: 'claude-sonnet-4-5', ...from('2026-12-01') }));
    const shown = (await list('&model=sonnet-4-5')).map((it) => [it.promptTokensAbove, it.origin]);
    expect(shown).toEqual([
      [0, 'shipped'],
      [0, 'operator'],
      [200_000, 'shipped'],
    ]);
  });

  test('filters by provider', async () => {
    expect(new Set((await list('&provider=google')).map(({ provider }) => provider))).toEqual(
      new Set(['google']),
    );
  });

  test.each(['?cursor=bm9uc2Vuc2U', '?limit=0', '?all=yes', '?colour=red'])(
    'does not understand %s',
    async (query) => {
      expect((await ask(query)).status).toBe(400);
    },
  );
});

describe('GET /api/v1/prices/missing', () => {
  const used = (given: Partial<DataOf<'UsageRecorded'>>): DataOf<'UsageRecorded'> => ({
    agent: 'codex',
    sessionId: 's1',
    thread: 'main',
    source: 'telemetry',
    provider: 'openai',
    model: 'gpt-x',
    tier: null,
    inputTokens: 10,
    outputTokens: 5,
    cacheReadTokens: 0,
    cacheCreationTokens: 0,
    cacheCreation1hTokens: null,
    reasoningTokens: null,
    costNanoUsd: null,
    costOrigin: 'unknown',
    computedNanoUsd: null,
    priceVersion: null,
    durationMs: null,
    timeToFirstTokenMs: null,
    ...given,
  });
  const happen = (...all: Partial<DataOf<'UsageRecorded'>>[]) => {
    writer.apply(
      all.map((given, index) =>
        recorded(index + 1, 'UsageRecorded', used(given), `2026-11-20T10:00:0${index % 10}.000Z`),
      ),
    );
  };
  const missing = async (query = '') => missingPage.parse((await ask(`/missing${query}`)).body);

  test('names each model and tier once that came in without a cost', async () => {
    happen(
      {},
      { costNanoUsd: 0, costOrigin: 'computed', model: 'free' },
      { tier: 'fast' },
      {},
      { agent: 'gemini', provider: 'google', model: 'gemini-x' },
    );
    expect((await missing()).items).toEqual([
      {
        agent: 'codex',
        provider: 'openai',
        model: 'gpt-x',
        tier: 'standard',
        firstSeenAt: '2026-11-20T10:00:00.000Z',
        lastSeenAt: '2026-11-20T10:00:03.000Z',
        resolved: false,
      },
      expect.objectContaining({ model: 'gpt-x', tier: 'fast' }),
      expect.objectContaining({ agent: 'gemini', model: 'gemini-x' }),
    ]);
  });

  test('takes one as resolved when the book knows a price for all that it used', async () => {
    happen({ cacheReadTokens: 1 }, {}, { tier: 'fast' });
    const resolved = async () =>
      (await missing('?all=true')).items.map((it) => [it.tier, it.resolved]);
    const of = { provider: 'openai', model: 'gpt-x' };
    await publish(entry(of));
    expect(await resolved()).toEqual([
      ['standard', false],
      ['fast', false],
    ]);
    await publish(
      entry({ ...of, usdPerMillionTokens: { input: '1', output: '2', cacheRead: '0' } }),
    );
    expect(await resolved()).toEqual([
      ['standard', true],
      ['fast', false],
    ]);
    expect((await missing()).items.map(({ tier }) => tier)).toEqual(['fast']);
  });

  test('comes in pages, and holds no more than its limit', async () => {
    const max = limits.unpricedModelsMax;
    happen(...Array.from({ length: max + 2 }, (_, index) => ({ model: `m${index}` })), {
      model: 'm0',
    });
    const items: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await missing(`?limit=400${cursor === '' ? '' : `&cursor=${cursor}`}`);
      items.push(...page.items.map(({ model }) => model));
      cursor = page.nextCursor;
    }
    expect(items).toEqual(Array.from({ length: max }, (_, index) => `m${index}`));
    const [first] = (await missing('?limit=1')).items;
    expect(first?.lastSeenAt).not.toBe(first?.firstSeenAt);
  });
});

test("The API's document describes both methods of one address, with the shape of an entry", async () => {
  const document = (await (await fetch(`${url}/api/docs-json`)).json()) as {
    paths: Record<string, Record<string, { requestBody?: object; responses: object }>>;
  };
  const address = document.paths['/api/v1/prices'];
  expect(Object.keys(address ?? {})).toEqual(['get', 'post']);
  expect(address?.['get']?.requestBody).toBeUndefined();
  expect(address?.['post']?.requestBody).toMatchObject({
    content: {
      'application/json': {
        schema: {
          required: ['prices'],
          properties: {
            prices: { items: { required: ['provider', 'model', 'usdPerMillionTokens'] } },
          },
        },
      },
    },
  });
  expect(address?.['post']?.responses).toHaveProperty('409');
});

import { limits } from '#kernel/limits.js';
import { ask, list, publish, serve, stop, url } from './prices-api.contract.js';
import { entry, from } from './price-entry.specification.js';
import { pricesPage, type PriceItem } from './prices.shapes.js';
import { shippedPrices } from './shipped-prices.js';

beforeEach(serve);
afterEach(stop);

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

  test('keeps the price for every prompt when one for large prompts is published', async () => {
    await publish(entry({ model: 'claude-haiku-4-5', promptTokensAbove: 200_000 }));
    expect((await list('&model=haiku-4-5')).map(({ origin }) => origin)).toEqual([
      'shipped',
      'operator',
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

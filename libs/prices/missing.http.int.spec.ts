import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { recorded } from '#platform/projection.specification.js';
import { ask, happen, publish, serve, stop } from './prices-api.contract.js';
import { entry } from './price-entry.specification.js';
import { missingPage } from './prices.shapes.js';

beforeEach(serve);
afterEach(stop);

describe('GET /api/v1/prices/missing', () => {
  const used = (given: Partial<DataOf<'UsageRecorded'>>): DataOf<'UsageRecorded'> => ({
    agent: 'codex',
    sessionId: 's1',
    thread: 'main',
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
  const use = (...all: Partial<DataOf<'UsageRecorded'>>[]) => {
    happen(
      ...all.map((given, index) =>
        recorded(index + 1, 'UsageRecorded', used(given), `2026-11-20T10:00:0${index % 10}.000Z`),
      ),
    );
  };
  const missing = async (query = '') => missingPage.parse((await ask(`/missing${query}`)).body);

  test('names each model and tier once that came in without a cost', async () => {
    use(
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
    use({ cacheReadTokens: 1 }, {}, { tier: 'fast' });
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
    use(...Array.from({ length: max + 2 }, (_, index) => ({ model: `m${index}` })), {
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

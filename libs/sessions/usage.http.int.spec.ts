import { all, get, happen, page, problem, serve, stop, url } from './api.contract.js';
import { at, history, usageRecorded, type Fact } from './session-facts.specification.js';
import { modelComparisons, usagePage } from './sessions.shapes.js';

beforeEach(serve);
afterEach(stop);

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

  test('stays at the largest number where sums would not fit', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    const usage = { inputTokens: most, costNanoUsd: most };
    const facts = Array.from({ length: 2_100 }, (_, index): Fact => [
      'UsageRecorded',
      usageRecorded({ ...usage, sessionId: `s${index % 2}` }),
      at(0),
    ]);
    happen(...history(...facts));
    expect(await page('/api/v1/usage?by=agent')).toMatchObject({
      total: { costUsd: '9223372036.854775807', tokens: { input: 2 ** 63 } },
    });
  });

  test.each([
    ['minute', 'day'],
    ['model', 'minute'],
  ])('refuses the cursor of a list by %s for one by %s', async (given, asked) => {
    const { nextCursor } = await page(`/api/v1/usage?by=${given}&limit=1`);
    expect(await problem(`/api/v1/usage?by=${asked}&cursor=${nextCursor}`)).toMatchObject({
      code: 'BAD_CURSOR',
    });
  });

  test('needs to know by what', async () => {
    expect(await problem('/api/v1/usage')).toMatchObject({ code: 'BAD_REQUEST', field: 'by' });
  });
});

describe('GET /api/v1/usage, further', () => {
  const keysOf = (items: readonly Record<string, unknown>[]) => items.map((it) => it['key']);

  test('begins days, weeks and months where the asked time zone does', async () => {
    const late = '2026-11-19T23:30:00.000Z';
    happen(...history(['UsageRecorded', usageRecorded(), late]));
    const { items } = await page('/api/v1/usage?by=day&timezone=Europe/Berlin');
    expect(items).toMatchObject([
      {
        key: '2026-11-19T23:00:00.000Z',
        label: '2026-11-20',
        endsAt: '2026-11-20T23:00:00.000Z',
        requests: 1,
      },
    ]);
    const months = await page('/api/v1/usage?by=month&timezone=Pacific/Auckland');
    expect(months.items).toMatchObject([{ label: '2026-11', key: '2026-10-31T11:00:00.000Z' }]);
    expect((await page('/api/v1/usage?by=week')).items).toMatchObject([{ label: '2026-W47' }]);
  });

  test('counts to the minute also where the range cuts a quarter of an hour', async () => {
    const uses = [1, 8, 14, 15].map((it): Fact => ['UsageRecorded', usageRecorded(), at(it)]);
    happen(...history(...uses));
    for (const by of ['day', 'hour', 'model', 'minute']) {
      const requests = async (since: number, until: number) => {
        const range = `since=${at(since)}&until=${at(until)}`;
        const { body } = await get(`/api/v1/usage?by=${by}&${range}`);
        return (body as { total: { requests: number } }).total.requests;
      };
      expect([await requests(8, 15), await requests(0, 14), await requests(0, 15)]).toEqual([
        2, 2, 3,
      ]);
    }
  });

  test('refuses a time zone that there is not', async () => {
    const path = '/api/v1/usage?by=day&timezone=Mars/Olympus';
    expect(await problem(path)).toMatchObject({ code: 'BAD_REQUEST', field: 'timezone' });
  });

  test('begins a block with the hour of its first use, and the next after more than five hours', async () => {
    const use = (time: string): Fact => ['UsageRecorded', usageRecorded(), time];
    happen(
      ...history(
        use('2026-11-19T10:40:00.000Z'),
        use('2026-11-19T15:00:00.000Z'), // five hours after the start, to the millisecond
        use('2026-11-19T15:00:00.001Z'),
        use('2026-11-19T23:59:59.999Z'),
      ),
    );
    const { items } = await page('/api/v1/usage?by=block');
    expect(items).toMatchObject([
      { key: '2026-11-19T10:00:00.000Z', endsAt: '2026-11-19T15:00:00.000Z', requests: 2 },
      { key: '2026-11-19T15:00:00.000Z', requests: 1 },
      { key: '2026-11-19T23:00:00.000Z', requests: 1 },
    ]);
    const later = await page('/api/v1/usage?by=block&since=2026-11-19T15:00:00Z');
    expect(later.items).toMatchObject([
      { key: '2026-11-19T10:00:00.000Z', requests: 1 },
      { key: '2026-11-19T15:00:00.000Z', requests: 1 },
      { requests: 1 },
    ]);
    expect(await all('/api/v1/usage?by=block&limit=1')).toEqual(items);
  });

  test('cuts by whom the work is for, and says where nobody was told', async () => {
    const who = { project: 'shop', team: 'core', userId: 'u', taskId: 't' };
    happen(
      ...history(
        ['UsageRecorded', usageRecorded(who), at(1)],
        ['UsageRecorded', usageRecorded(), at(2)],
      ),
    );
    for (const [by, name] of [
      ['project', 'shop'],
      ['team', 'core'],
      ['user', 'u'],
      ['task', 't'],
    ] as const) {
      const { items } = await page(`/api/v1/usage?by=${by}`);
      expect(keysOf(items)).toEqual(['', name]);
      const filtered = await page(`/api/v1/usage?by=provider&${by}=${name}`);
      expect(filtered).toMatchObject({ total: { requests: 1 }, items: [{ key: 'anthropic' }] });
    }
  });

  test('cuts each group once more, by which it comes to the same', async () => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ model: 'a' }), at(1)],
        ['UsageRecorded', usageRecorded({ model: 'b', costNanoUsd: null }), at(2)],
        ['UsageRecorded', usageRecorded({ model: 'a' }), at(-24 * 60)],
      ),
    );
    for (const by of ['day', 'block', 'session']) {
      const { items } = await page(`/api/v1/usage?by=${by}&breakdown=model`);
      expect(items.at(-1)).toMatchObject({
        parts: [{ key: 'a' }, { key: 'b', costUsd: null, unpricedRequests: 1 }],
      });
    }
  });
});

describe('GET /api/v1/usage/models', () => {
  test('compares cost, latency and errors', async () => {
    const request = (durationMs: number | null, costNanoUsd: number | null): Fact => [
      'UsageRecorded',
      usageRecorded({ model: 'a', outputTokens: 500, durationMs, costNanoUsd }),
      at(1),
    ];
    const who = { sessionId: 's1', agent: 'claude-code', thread: 'main' } as const;
    const what = { provider: 'anthropic', statusCode: 529, error: 'x', attempt: 1 } as const;
    const failed = (model: string): Fact => [
      'RequestFailed',
      { ...who, ...what, model, durationMs: 1 },
      at(2),
    ];
    const durations = Array.from({ length: 20 }, (_, index) => 100 * (index + 1));
    happen(
      ...history(
        ...durations.map((it) => request(it, 3_000_000)),
        request(null, null),
        failed('a'),
        failed('b'),
      ),
    );
    const { status, body } = await get('/api/v1/usage/models');
    expect([status, modelComparisons.safeParse(body).error]).toEqual([200, undefined]);
    expect(body).toMatchObject({
      items: [
        {
          model: 'a',
          requests: 21,
          unpricedRequests: 1,
          costPerRequestUsd: '0.003000000',
          costPer1kOutputTokensUsd: '0.006000000',
          latencyMs: { p50: 1_000, p95: 1_900 },
          failedRequests: 1,
          errorRate: 1 / 22,
        },
        { model: 'b', requests: 0, costPerRequestUsd: null, latencyMs: null, errorRate: 1 },
      ],
    });
    const none = await get(`/api/v1/usage/models?since=${at(3)}`);
    expect(none.body).toEqual({ items: [] });
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
      '/api/v1/usage/models',
      '/api/v1/coverage',
      '/api/v1/sessions/{id}/coverage',
      '/api/v1/usage/corrections',
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

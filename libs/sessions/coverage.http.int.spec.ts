import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { all, get, happen, page, problem, serve, stop } from './api.contract.js';
import { coveragePage, sessionCoverage } from './coverage.shapes.js';
import {
  at,
  history,
  usageRecorded,
  usageStated,
  type Fact,
} from './session-facts.specification.js';

beforeEach(serve);
afterEach(stop);

const told = (
  requestId: string,
  minute: number,
  changes: Partial<DataOf<'UsageRecorded'>> = {},
): Fact => ['UsageRecorded', usageRecorded({ requestId, ...changes }), at(minute)];
/** The transcript knows no reported cost; the price book makes it a tenth dearer than the agent does. */
const stated = (
  requestId: string,
  minute: number,
  changes: Parameters<typeof usageStated>[1] = {},
): Fact => [
  'UsageStated',
  usageStated(at(minute), {
    ...{ requestId, costNanoUsd: 1_100_000, costOrigin: 'computed', computedNanoUsd: 1_100_000 },
    ...changes,
  }),
  at(minute),
];
const totals = (inputTokens: number, costNanoUsd: number | null, minute: number): Fact => [
  'SessionTotalsStated',
  {
    ...{ sessionId: 's1', agent: 'claude-code', inputTokens, outputTokens: 15 },
    ...{ cacheReadTokens: 300, cacheCreationTokens: 60, costNanoUsd },
  },
  at(minute),
];

async function coverageOf(id: string): Promise<Record<string, unknown>> {
  const { status, body } = await get(`/api/v1/sessions/${id}/coverage`);
  expect([status, sessionCoverage.safeParse(body).error]).toEqual([200, undefined]);
  return body as Record<string, unknown>;
}

describe('GET /api/v1/sessions/{id}/coverage', () => {
  test('tells what reached us, what did not, by name, and what only telemetry knows', async () => {
    happen(
      ...history(
        told('r1', 1),
        told('r2', 2),
        told('compaction', 3, { thread: 'compaction' }),
        stated('r1', 1),
        stated('r2', 2),
        stated('lost', 4, { model: 'b', inputTokens: 90 }),
      ),
    );
    const amount = { input: 20, output: 10, cacheRead: 200, cacheCreation: 40 };
    expect(await coverageOf('s1')).toMatchObject({
      fromTranscript: true,
      both: { requests: 2, tokens: amount, costUsd: '0.002000000' },
      onlyTranscript: { requests: 1, tokens: { input: 90 }, costUsd: '0.001100000' },
      onlyTelemetry: { requests: 1, tokens: { input: 10 }, costUsd: '0.001000000' },
      share: { requests: 2 / 3, tokens: 270 / (270 + 215), cost: 20 / 31 },
      gaps: [{ occurredAt: at(4), model: 'b', tokens: { input: 90 }, costUsd: '0.001100000' }],
      moreGaps: 0,
      stated: null,
    });
  });

  test('closes when the telemetry arrives after all', async () => {
    happen(...history(stated('r1', 1)));
    expect(await coverageOf('s1')).toMatchObject({ share: { requests: 0 }, gaps: [{}] });
    const [, late] = history(stated('r1', 1), told('r1', 1));
    happen(late!);
    expect(await coverageOf('s1')).toMatchObject({ share: { requests: 1 }, gaps: [] });
  });

  test('is not known where no file was imported', async () => {
    happen(...history(told('r1', 1)));
    expect(await coverageOf('s1')).toMatchObject({
      fromTranscript: false,
      share: { requests: null, tokens: null, cost: null },
      onlyTelemetry: { requests: 1 },
    });
  });

  test("sets the file's own totals beside the requests that are known", async () => {
    happen(
      ...history(
        told('r1', 1),
        stated('r1', 1),
        stated('r2', 2),
        totals(99, 99, 4),
        totals(30, 5_000_000, 5),
        totals(1, 1, 3),
      ),
    );
    expect(await coverageOf('s1')).toMatchObject({
      stated: {
        statedAt: at(5),
        tokens: { input: 30, output: 15, cacheRead: 300, cacheCreation: 60 },
        costUsd: '0.005000000',
        missing: {
          tokens: { input: 10, output: 5, cacheRead: 100, cacheCreation: 20 },
          costUsd: '0.002900000',
        },
      },
    });
  });

  test('knows no share of a cost that is not known', async () => {
    happen(
      ...history(
        told('r1', 1),
        stated('r1', 1),
        stated('r2', 2, { costNanoUsd: null, costOrigin: 'unknown', computedNanoUsd: null }),
        totals(30, 1, 3),
      ),
    );
    expect(await coverageOf('s1')).toMatchObject({
      onlyTranscript: { costUsd: null },
      share: { requests: 0.5, cost: null },
      stated: { missing: { costUsd: null } },
    });
  });

  test('counts a request that a fork repeats in both sessions, and once in usage', async () => {
    happen(...history(told('r1', 1), stated('r1', 1, { sessionId: 'fork' })));
    expect(await coverageOf('s1')).toMatchObject({ both: { requests: 1 } });
    expect(await coverageOf('fork')).toMatchObject({ both: { requests: 1 }, gaps: [] });
    expect(await page('/api/v1/usage?by=agent')).toMatchObject({ total: { requests: 1 } });
  });

  test('names so many gaps and counts the rest', async () => {
    happen(...history(...Array.from({ length: 203 }, (_, index) => stated(`r${index}`, index))));
    const { gaps, moreGaps } = await coverageOf('s1');
    expect([(gaps as unknown[]).length, moreGaps]).toEqual([200, 3]);
  });

  test('of a session that nobody knows is a problem', async () => {
    expect(await problem('/api/v1/sessions/none/coverage')).toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
  });
});

describe('GET /api/v1/coverage', () => {
  test('lists sessions with their share, the last active first, and the total of what was imported', async () => {
    happen(
      ...history(
        told('r1', 1),
        stated('r1', 1),
        stated('r2', 5, { sessionId: 's2' }),
        told('r3', 9, { sessionId: 'never imported' }),
      ),
    );
    const body = await page('/api/v1/coverage');
    expect(coveragePage.safeParse(body).error).toBeUndefined();
    expect(body).toMatchObject({
      items: [
        { sessionId: 'never imported', fromTranscript: false },
        { sessionId: 's2', share: { requests: 0 } },
        { sessionId: 's1', share: { requests: 1 } },
      ],
      total: { both: { requests: 1 }, onlyTelemetry: { requests: 0 }, share: { requests: 0.5 } },
    });
    expect(await all('/api/v1/coverage?limit=1')).toEqual(body.items);
  });
});

import fc from 'fast-check';
import { given } from '#platform/projection.specification.js';
import {
  at,
  history,
  usageMetered,
  usageRecorded,
  usageStated,
  type Fact,
} from './session-facts.specification.js';
import { usageProjection } from './usage.projection.js';

function after(...facts: readonly Fact[]) {
  return given(usageProjection, history(...facts));
}
function sessionsAfter(...facts: readonly Fact[]) {
  return after(...facts).table('usage_by_session');
}

describe('Usage', () => {
  test('sums the tokens and the cost of requests, whatever the thread', () => {
    expect(
      sessionsAfter(
        ['UsageRecorded', usageRecorded(), at(1)],
        ['UsageRecorded', usageRecorded({ thread: 'subagent', reasoningTokens: 3 }), at(2)],
        ['UsageRecorded', usageRecorded({ thread: 'auxiliary', costNanoUsd: null }), at(3)],
      ),
    ).toMatchObject([
      {
        requests: 3n,
        unpriced_requests: 1n,
        input_tokens: 30n,
        output_tokens: 15n,
        cache_read_tokens: 300n,
        cache_creation_tokens: 60n,
        reasoning_tokens: 3n,
        reasoning_told: 1n,
        cost_nano_usd: 2_000_000n,
      },
    ]);
  });

  test('stays at the largest sum rather than stop the projection', () => {
    const costly = usageRecorded({ costNanoUsd: Number.MAX_SAFE_INTEGER });
    const facts = Array.from({ length: 1_030 }, (): Fact => ['UsageRecorded', costly, at(1)]);
    expect(sessionsAfter(...facts)).toMatchObject([
      { requests: 1_030n, cost_nano_usd: 9_223_372_036_854_775_807n },
    ]);
  });

  test('keeps what the agent reported apart from what was computed, and where both exist, both', () => {
    const reported = { costNanoUsd: 70, computedNanoUsd: 60 };
    const computed = { costNanoUsd: 50, costOrigin: 'computed', computedNanoUsd: 50 } as const;
    expect(
      sessionsAfter(
        ['UsageRecorded', usageRecorded(reported), at(1)],
        ['UsageRecorded', usageRecorded(computed), at(2)],
      ),
    ).toMatchObject([
      {
        cost_nano_usd: 120n,
        computed_nano_usd: 50n,
        compared_requests: 1n,
        compared_reported_nano_usd: 70n,
        compared_computed_nano_usd: 60n,
      },
    ]);
  });

  test('counts a failed request beside, not among, those that were answered', () => {
    const who = { sessionId: 's1', agent: 'claude-code', thread: 'main' } as const;
    const what = { provider: 'p', model: 'm', statusCode: 529, error: 'x' } as const;
    const failed = { ...who, ...what, attempt: 4, durationMs: 1 };
    const tables = after(['RequestFailed', failed, at(1)], ['RequestFailed', failed, at(1)]);
    expect(tables.table('usage_failures')).toMatchObject([{ failures: 2n }]);
    expect(tables.table('usage_by_session')).toEqual([]);
  });
});

describe('A correction', () => {
  const computed = { costNanoUsd: 50, costOrigin: 'computed', computedNanoUsd: 50 } as const;
  const correction = (computedNanoUsd: number | null): Fact => [
    'UsageRepriced',
    {
      ...{ sessionId: 's1', agent: 'claude-code', computedNanoUsd, priceVersion: 'later' },
      usageId: '00000000-0000-4000-8000-000000000001',
    },
    at(9),
  ];

  test('changes a computed cost where the usage lies, not where the correction does', () => {
    const tables = after(['UsageRecorded', usageRecorded(computed), at(1)], correction(80));
    expect(tables.table('usage_by_minute')).toMatchObject([
      { minute: BigInt(Date.parse(at(1)) / 60_000), requests: 1n, cost_nano_usd: 80n },
    ]);
    expect(tables.table('usage_by_quarter')).toMatchObject([
      { minute: BigInt(Date.parse(at(0)) / 60_000), requests: 1n, cost_nano_usd: 80n },
    ]);
    expect(tables.table('usage_statements')).toMatchObject([{ price_version: 'later' }]);
  });

  test('leaves a reported cost, and shows the other difference', () => {
    const reported = usageRecorded({ costNanoUsd: 70, computedNanoUsd: 60 });
    expect(sessionsAfter(['UsageRecorded', reported, at(1)], correction(75))).toMatchObject([
      { cost_nano_usd: 70n, compared_reported_nano_usd: 70n, compared_computed_nano_usd: 75n },
    ]);
  });

  test('can make a cost unknown', () => {
    expect(
      sessionsAfter(['UsageRecorded', usageRecorded(computed), at(1)], correction(null)),
    ).toMatchObject([{ requests: 1n, unpriced_requests: 1n, priced: 0n, cost_nano_usd: 0n }]);
  });

  test('of usage that nobody knows changes nothing', () => {
    expect(sessionsAfter(correction(1))).toEqual([]);
  });
});

describe('Telemetry and transcript of one request', () => {
  const told = (): Fact => [
    'UsageRecorded',
    usageRecorded({ requestId: 'r1', costNanoUsd: 70 }),
    at(1, 1),
  ];
  const stated = (changes: Parameters<typeof usageStated>[1] = {}): Fact => [
    'UsageStated',
    usageStated(at(0, 59), {
      ...{ requestId: 'r1', project: 'shop' },
      ...{ costNanoUsd: 60, costOrigin: 'computed', computedNanoUsd: 60 },
      ...changes,
    }),
    at(0, 59),
  ];

  test.each([
    ['telemetry first', [told(), stated()]],
    ['the transcript first', [stated(), told()]],
  ])('are counted once, by what telemetry tells: %s', (_, facts) => {
    const tables = after(...facts);
    expect(tables.table('usage_by_session')).toMatchObject([
      { requests: 1n, input_tokens: 10n, cost_nano_usd: 70n },
    ]);
    expect(tables.table('usage_by_minute')).toMatchObject([
      { minute: BigInt(Date.parse(at(1)) / 60_000), requests: 1n },
    ]);
    expect(tables.table('usage_by_quarter')).toMatchObject([
      { minute: BigInt(Date.parse(at(0)) / 60_000), requests: 1n },
    ]);
  });

  test('take the project from the transcript where telemetry tells none', () => {
    const tables = after(told(), stated());
    const [counted] = tables.table('usage_by_minute');
    const keys = tables.table('usage_keys');
    expect(keys.find(({ id }) => id === counted?.['key_id'])).toMatchObject({ project: 'shop' });
  });

  test('meet whichever session tells of it', () => {
    expect(sessionsAfter(stated({ sessionId: 'fork' }), told())).toMatchObject([
      { session_id: 's1', requests: 1n },
    ]);
  });

  test('that was read while it was written is taken as it is told last', () => {
    expect(sessionsAfter(stated({ outputTokens: 1 }), stated())).toMatchObject([
      { requests: 1n, output_tokens: 5n },
    ]);
  });

  test('is stated once, however often, and by each request with its own time', () => {
    const [first, second] = [usageStated(at(1)), usageStated(at(2))];
    const both = { ...first, requests: [...first.requests, ...second.requests] };
    const tables = after(
      ['UsageStated', first, at(1)],
      ['UsageStated', both, at(2)],
      ['UsageStated', both, at(2)],
    );
    expect(tables.table('usage_by_minute')).toMatchObject([{ requests: 1n }, { requests: 1n }]);
  });
});

describe('Where requests have no id that both tell', () => {
  const second = (seconds: number) => new Date(Date.parse(at(10)) + seconds * 1_000).toISOString();
  let keys = 0;
  const codex = (source: 'telemetry' | 'transcript', seconds: number, inputTokens = 10): Fact => {
    const [agent, time] = ['codex', second(seconds)] as const;
    return source === 'telemetry'
      ? ['UsageRecorded', usageRecorded({ agent, inputTokens }), time]
      : ['UsageStated', usageStated(time, { agent, inputTokens, key: `k${keys++}` }), time];
  };
  const requestsAfter = (...facts: readonly Fact[]) =>
    sessionsAfter(...facts).map(({ requests }) => requests);

  test('equal token counts within two seconds are one request', () => {
    expect(requestsAfter(codex('telemetry', 0), codex('transcript', 2))).toEqual([1n]);
    expect(requestsAfter(codex('telemetry', 0), codex('transcript', 2.001))).toEqual([2n]);
    expect(requestsAfter(codex('telemetry', 0), codex('transcript', 0, 11))).toEqual([2n]);
  });

  test('two of one source are two requests', () => {
    expect(requestsAfter(codex('telemetry', 0), codex('telemetry', 0))).toEqual([2n]);
  });

  test('as few as possible stay alone', () => {
    expect(
      requestsAfter(
        ...[codex('telemetry', 0), codex('telemetry', 1.9)],
        ...[codex('transcript', 1.5), codex('transcript', 3.5)],
      ),
    ).toEqual([2n]);
  });

  test('the order in which they come in does not matter, and nothing is counted twice or lost', () => {
    // Requests with the same tokens, each told by telemetry, by the transcript a bit later, or by both.
    const requests = fc.array(
      fc.record({
        at: fc.integer({ min: 0, max: 60 }).map((it) => it / 2),
        lag: fc.constantFrom(0, 0.5),
        input: fc.constantFrom(10, 11),
        by: fc.constantFrom('telemetry', 'transcript', 'both'),
      }),
      { maxLength: 12 },
    );
    const factsOf = fc.func(fc.nat());
    fc.assert(
      fc.property(requests, factsOf, (all, rank) => {
        const facts = all.flatMap((it) => [
          ...(it.by === 'transcript' ? [] : [codex('telemetry', it.at, it.input)]),
          ...(it.by === 'telemetry' ? [] : [codex('transcript', it.at + it.lag, it.input)]),
        ]);
        const shuffled = facts
          .map((fact, index) => [rank(index), fact] as const)
          .sort(([a], [b]) => a - b)
          .map(([, fact]) => fact);
        const [inOrder, mixed] = [facts, shuffled].map((some) => sessionsAfter(...some));
        expect(mixed).toEqual(inOrder);
        const told = all.filter(({ by }) => by !== 'transcript').length;
        expect(Number(inOrder![0]?.['requests'] ?? 0)).toBeGreaterThanOrEqual(told);
        expect(Number(inOrder![0]?.['requests'] ?? 0)).toBeLessThanOrEqual(all.length);
      }),
      { numRuns: 200 },
    );
  });
});

describe('Metered usage', () => {
  const reading = (amount: number, since = at(0)) => ({ kind: 'input', since, amount }) as const;
  const cumulative = (...amounts: number[]) =>
    usageMetered({ temporality: 'cumulative', readings: amounts.map((it) => reading(it)) });

  test('is kept apart from that of requests', () => {
    expect(
      sessionsAfter(
        ['UsageMetered', usageMetered(), at(1)],
        ['UsageRecorded', usageRecorded(), at(2)],
        ['UsageMetered', usageMetered({ model: 'metered' }), at(3)],
      ),
    ).toMatchObject([
      { origin: 'metrics', input_tokens: 14n, requests: 0n },
      { origin: 'requests', input_tokens: 10n },
    ]);
  });

  test('adds what a cumulative reading exceeds the highest by, late or repeated ones nothing', () => {
    expect(
      sessionsAfter(
        ['UsageMetered', cumulative(10), at(1)],
        ['UsageMetered', cumulative(30), at(3)],
        ['UsageMetered', cumulative(30), at(3)],
        ['UsageMetered', cumulative(20), at(2)],
      ),
    ).toMatchObject([{ input_tokens: 30n }]);
  });

  test('starts again when its series does, and tells series apart', () => {
    expect(
      sessionsAfter(
        ['UsageMetered', cumulative(10), at(1)],
        ['UsageMetered', { ...cumulative(), readings: [reading(4, at(5))] }, at(6)],
        ['UsageMetered', { ...cumulative(10), model: 'other' }, at(6)],
      ),
    ).toMatchObject([{ input_tokens: 24n }]);
  });
});

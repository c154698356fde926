import type { LogRecord } from './otlp.records.js';
import { usageIdOf } from './attributes.translate.js';
import {
  log,
  logs,
  only,
  origin,
  receivedAt,
  request,
  sessionId,
  time,
} from './claude-code.spec-helper.js';

describe('A request that was answered', () => {
  test('is usage, with its cost in nano-dollars', () => {
    const { event } = only(logs(log('api_request', request)));
    expect(event).toEqual({
      id: usageIdOf('claude-code', 'req_mock685ykc26eo60'),
      type: 'UsageRecorded',
      data: {
        sessionId,
        agent: 'claude-code',
        requestId: 'req_mock685ykc26eo60',
        promptId: 'c5cbee5c-1015-41b3-bdd3-c9dfefb69ae6',
        thread: 'main',
        provider: 'anthropic',
        model: 'claude-sonnet-4-5-20250929',
        tier: null,
        inputTokens: 8,
        outputTokens: 96,
        cacheReadTokens: 15000,
        cacheCreationTokens: 900,
        cacheCreation1hTokens: 0,
        reasoningTokens: null,
        costNanoUsd: 9_339_000,
        costOrigin: 'reported',
        computedNanoUsd: null,
        priceVersion: null,
        durationMs: 189,
        timeToFirstTokenMs: 138,
      },
      metadata: {
        actor: 'agent:claude-code',
        source: 'claude-code/2.1.329 logs',
        occurredAt: '2026-11-20T17:59:00.123Z',
      },
    });
  });

  test.each([
    ['absent', undefined],
    ['negative', -1],
    ['not a number', NaN],
    ['absurd', 1e300],
    ['a word', 'free'],
  ])('has an unknown cost, never 0, when the cost is %s', (_, cost_usd) => {
    const { event } = only(logs(log('api_request', { ...request, cost_usd })));
    expect(event.data).toMatchObject({ costNanoUsd: null, costOrigin: 'unknown' });
  });

  test.each([
    ['normal', 'standard'],
    ['fast', 'fast'],
  ])('at the speed %s is of the tier %s', (speed, tier) => {
    const { event } = only(logs(log('api_request', { ...request, speed })));
    expect(event.data).toMatchObject({ tier });
  });

  test('that cost nothing has a reported cost of 0', () => {
    const { event } = only(logs(log('api_request', { ...request, cost_usd: 0 })));
    expect(event.data).toMatchObject({ costNanoUsd: 0, costOrigin: 'reported' });
  });

  test.each([-1, NaN, Infinity, 1e300, 1.5, 'many', true, '99999999999999999999'])(
    'is rejected when it claims %p tokens',
    (input_tokens) => {
      const result = logs(log('api_request', { ...request, input_tokens }));
      expect(result.drafts).toEqual([]);
      expect(result.rejected).toBe(1);
      expect(result.rejectedBecause).toBe(
        'api_request: a number of tokens is not a whole number from 0 up.',
      );
    },
  );

  test('is rejected when it tells no tokens at all', () => {
    expect(logs(log('api_request', { cost_usd: 1 })).rejected).toBe(1);
  });

  test('has the same id in another session and from another exporter', () => {
    const a = only(logs(log('api_request', request)));
    const b = only(logs(log('api_request', { ...request, 'session.id': 'other', extra: 1 })));
    expect(a.event.id).toBe(b.event.id);
  });

  test('without a request id is known by all that it says', () => {
    const anonymous = { ...request, request_id: undefined };
    const idOf = (values: object, rest: Partial<LogRecord> = {}) =>
      only(logs(log('api_request', values, rest))).event.id;
    expect(idOf(anonymous)).toBe(idOf({ ...anonymous }));
    expect(idOf(anonymous)).not.toBe(idOf({ ...anonymous, output_tokens: 97 }));
    expect(idOf(anonymous)).not.toBe(idOf(anonymous, { timeUnixNano: time + 1n }));
  });

  test('counts as unattributed when it names no session', () => {
    const { event } = only(logs(log('api_request', { ...request, 'session.id': undefined })));
    expect(event.data).toMatchObject({ sessionId: 'unattributed', costNanoUsd: 9_339_000 });
  });

  test.each([
    ['sdk', {}, { thread: 'main' }],
    ['repl_main_thread', {}, { thread: 'main' }],
    ['compact', {}, { thread: 'compaction' }],
    [
      'agent:builtin:general-purpose',
      { agent_id: 'aefd44bc2ce5ab941' },
      { thread: 'subagent', subagentId: 'aefd44bc2ce5ab941', subagentType: 'general-purpose' },
    ],
    ['agent:custom:x', { 'agent.name': 'mine' }, { thread: 'subagent', subagentType: 'mine' }],
    ['generate_session_title', {}, { thread: 'auxiliary' }],
  ])('from %s belongs to its thread', (query_source, values, expected) => {
    const { event } = only(logs(log('api_request', { ...request, query_source, ...values })));
    expect(event.data).toMatchObject(expected);
  });

  test('is attributed as its resource says, and the record before the resource', () => {
    const resource = {
      'task.id': 'T-1',
      'team.id': 'core',
      'project.name': 'tower',
      'attempt.id': 2,
    };
    const record = log(
      'api_request',
      { ...request, 'task.id': 'T-2', 'user.id': 'u' },
      { origin: origin(resource) },
    );
    const { event } = only(logs(record));
    expect(event.data).toMatchObject({
      taskId: 'T-2',
      attemptId: '2',
      team: 'core',
      project: 'tower',
      userId: 'u',
    });
    expect(event.metadata.correlationId).toBe('T-2');
  });
});

describe('The time of a record', () => {
  const iso = '2026-11-20T17:00:00.000Z';
  const occurredAt = (timeUnixNano: bigint, values: object = {}) =>
    only(logs(log('api_request', { ...request, ...values }, { timeUnixNano }))).event.metadata
      .occurredAt;
  const dayAhead = BigInt(Date.parse(receivedAt) + 86_400_000) * 1_000_000n;

  test('is its own, up to a day ahead of the server', () => {
    expect(occurredAt(time)).toBe('2026-11-20T17:59:00.123Z');
    expect(occurredAt(dayAhead)).toBe('2026-11-21T18:00:00.000Z');
  });

  test('is the one among its attributes when its own is missing or absurd', () => {
    for (const absurd of [0n, 1n, dayAhead + 1_000_000n, 2n ** 64n - 1n])
      expect(occurredAt(absurd, { 'event.timestamp': iso })).toBe(iso);
  });

  test('is when it was received when it has no sound time at all', () => {
    expect(occurredAt(0n)).toBe(receivedAt);
    expect(occurredAt(0n, { 'event.timestamp': '1999-01-01T00:00:00Z' })).toBe(receivedAt);
    expect(occurredAt(0n, { 'event.timestamp': 'yesterday' })).toBe(receivedAt);
  });
});

import type { MetricPoint } from './otlp.records.js';
import { metrics, only, point, sessionId, start, time } from './claude-code.spec-helper.js';

describe('Counters', () => {
  const main = { model: 'sonnet', query_source: 'main' };

  test('of one session, model, thread and export are one event, its readings sorted', () => {
    const { drafts } = metrics(
      point('token.usage', 321, { ...main, type: 'output' }),
      point('token.usage', 18, { ...main, type: 'input' }),
      point('cost.usage', 0.024514499999999998, main),
      point('token.usage', 12, {
        ...main,
        query_source: 'subagent',
        'agent.name': 'Explore',
        type: 'input',
      }),
      point('token.usage', 5, { ...main, query_source: 'auxiliary', type: 'input' }),
    );
    const since = '2026-11-20T17:58:00.000Z';
    const series = expect.stringMatching(/^[0-9a-f]{16}$/) as string;
    expect(drafts.map(({ event }) => event.data)).toEqual([
      expect.objectContaining({
        thread: 'main',
        temporality: 'delta',
        at: '2026-11-20T17:59:00.123Z',
        readings: [
          { kind: 'costNanoUsd', series, since, amount: 24_514_500 },
          { kind: 'input', series, since, amount: 18 },
          { kind: 'output', series, since, amount: 321 },
        ],
      }),
      expect.objectContaining({ thread: 'subagent', subagentType: 'Explore' }),
      expect.objectContaining({ thread: 'auxiliary' }),
    ]);
  });

  test('that differ in what nobody asks about are readings of their own', () => {
    const { event } = only(
      metrics(
        point('token.usage', 10, { ...main, type: 'input', effort: 'high' }),
        point(
          'token.usage',
          5,
          { ...main, type: 'input', effort: 'low' },
          { startTimeUnixNano: start - 1_000_000n },
        ),
      ),
    );
    const readings = event.type === 'UsageMetered' ? event.data.readings : [];
    expect(new Set(readings.map(({ series }) => series)).size).toBe(2);
    expect(readings.map(({ amount, since }) => [amount, since]).sort()).toEqual([
      [10, '2026-11-20T17:58:00.000Z'],
      [5, '2026-11-20T17:57:59.999Z'],
    ]);
  });

  test('that are told twice in one batch are counted once', () => {
    const one = point('token.usage', 10, { ...main, type: 'input' });
    expect(only(metrics(one, one)).event).toEqual(only(metrics(one)).event);
  });

  test('of two exports, temporalities or sessions are two events', () => {
    const of = (values: object, rest: Partial<MetricPoint>) =>
      point('token.usage', 1, { ...main, type: 'input', ...values }, rest);
    const { drafts } = metrics(
      of({}, {}),
      of({}, { timeUnixNano: time + 1n }),
      of({}, { temporality: 'cumulative' }),
      of({ 'session.id': 'other' }, {}),
    );
    expect(new Set(drafts.map(({ event }) => event.id)).size).toBe(4);
  });

  test('of work are one event, zeros left out, seconds in ms', () => {
    const edit = {
      decision: 'accept',
      tool_name: 'Write',
      language: 'TypeScript',
      source: 'config',
    };
    const { drafts, noise } = metrics(
      point('lines_of_code.count', 4, { type: 'added', model: 'sonnet' }),
      point('lines_of_code.count', 0, { type: 'removed', model: 'sonnet' }),
      point('commit.count', 1),
      point('pull_request.count', 2),
      point('code_edit_tool.decision', 1, edit),
      point('active_time.total', 1.546, { type: 'cli' }),
    );
    const since = '2026-11-20T17:58:00.000Z';
    const series = (told: string) =>
      expect.stringMatching(new RegExp(`^${told}[0-9a-f]{16}$`)) as string;
    expect(drafts[0]!.event.data).toEqual({
      sessionId,
      agent: 'claude-code',
      temporality: 'delta',
      readings: [
        { measure: 'activeMs', series: series('cli / '), since, amount: 1546 },
        { measure: 'commits', series: series(''), since, amount: 1 },
        {
          measure: 'editsAccepted',
          series: series('Write / TypeScript / config / '),
          since,
          amount: 1,
        },
        { measure: 'linesAdded', series: series('sonnet / '), since, amount: 4 },
        { measure: 'pullRequests', series: series(''), since, amount: 2 },
      ],
    });
    expect(noise).toEqual(new Map([['lines_of_code.count/zero', 1]]));
  });

  test.each([-1, NaN, Infinity, 1e300, 0.5, null])('with the value %p are rejected', (value) => {
    const result = metrics(point('token.usage', value, { ...main, type: 'input' }));
    expect(result).toMatchObject({ drafts: [], rejected: 1 });
  });

  test('that are no sums, or have no temporality, are rejected', () => {
    const of = (rest: Partial<MetricPoint>) => point('commit.count', 1, {}, rest);
    expect(metrics(of({ kind: 'gauge' }), of({ temporality: 'unspecified' })).rejected).toBe(2);
  });

  test('of a kind nobody knows are kept as unrecognised', () => {
    const { unrecognised } = metrics(
      point('token.usage', 1, { type: 'dreaming' }),
      point('token.usage', 1, { type: '__proto__' }),
      point('new.metric', 1),
    );
    expect(unrecognised.map(({ name }) => name)).toEqual([
      'claude_code.token.usage/dreaming',
      'claude_code.token.usage/__proto__',
      'claude_code.new.metric',
    ]);
  });

  test('without a start have one that is the same in every export', () => {
    const { event } = only(metrics(point('commit.count', 1, {}, { startTimeUnixNano: 0n })));
    expect(event.data).toMatchObject({ readings: [{ since: '1970-01-01T00:00:00.000Z' }] });
  });
});

describe('A session', () => {
  test.each(['fresh', 'resume'])('starts %s, when its counter began', (start_type) => {
    const { event } = only(metrics(point('session.count', 1, { start_type })));
    expect(event).toMatchObject({
      type: 'SessionStarted',
      data: { sessionId, startType: start_type, clientVersion: '2.1.329' },
      metadata: { occurredAt: '2026-11-20T17:58:00.000Z' },
    });
  });

  test('that a cumulative counter tells again and again has started once', () => {
    const cumulative = { temporality: 'cumulative' } as const;
    const first = metrics(point('session.count', 1, {}, cumulative));
    const second = metrics(
      point('session.count', 1, {}, { ...cumulative, timeUnixNano: time + 60n }),
    );
    expect(only(first).event.id).toBe(only(second).event.id);
  });

  test('is not started by --continue, whose session id is thrown away', () => {
    const { drafts, noise } = metrics(point('session.count', 1, { start_type: 'continue' }));
    expect(drafts).toEqual([]);
    expect(noise).toEqual(new Map([['session.count/continue', 1]]));
  });
});

import {
  metrics,
  only,
  point,
  sessionId,
  span,
  start,
  time,
  traces,
} from './gemini.spec-helper.js';

const session = { sessionId, agent: 'gemini' };
const usage = (type: string, amount: number | null, rest = {}) =>
  point('gemini_cli.token.usage', amount, { model: 'gemini-2.5-pro', type }, rest);
const all = (rest = {}) => [
  usage('input', 12019, rest),
  usage('output', 18, rest),
  usage('cache', 8413, rest),
  usage('thought', 48, rest),
  usage('tool', 5, rest),
];

describe('The token counters of one export', () => {
  test('are one event, in which no token is counted twice', () => {
    const { event } = only(metrics(...all()));
    const since = '2026-11-20T17:58:00.000Z';
    expect(event.type).toBe('UsageMetered');
    expect(event.data).toEqual({
      ...session,
      thread: 'main',
      provider: 'google',
      model: 'gemini-2.5-pro',
      temporality: 'cumulative',
      readings: [
        { kind: 'cacheRead', since, amount: 8413 },
        { kind: 'input', since, amount: 12019 - 8413 + 5 },
        { kind: 'output', since, amount: 66 },
      ],
    });
  });

  test('of another process of the session began at another time', () => {
    const later = start + 60_000_000_000n;
    const { drafts } = metrics(
      ...all(),
      ...all({ startTimeUnixNano: later, timeUnixNano: time + 60_000_000_000n }),
    );
    const sinces = drafts.map(({ event }) =>
      event.type === 'UsageMetered' ? event.data.readings[0]!.since : '',
    );
    expect(sinces).toEqual(['2026-11-20T17:58:00.000Z', '2026-11-20T17:59:00.000Z']);
  });

  test('whose start was not told began before all others', () => {
    const { event } = only(metrics(usage('input', 1, { startTimeUnixNano: 0n })));
    expect(event.data).toMatchObject({ readings: [{ since: '1970-01-01T00:00:00.000Z' }] });
  });

  test('that are all zero are noise', () => {
    const result = metrics(usage('input', 0), usage('cache', 0));
    expect(result.drafts).toEqual([]);
    expect([...result.noise]).toEqual([['token.usage/zero', 2]]);
  });

  test.each([
    [{ kind: 'histogram', value: null }],
    [{ kind: 'gauge' }],
    [{ temporality: 'unspecified' }],
    [{ value: -1 }],
    [{ value: 1.5 }],
    [{ value: null }],
  ])('are rejected with %j', (rest) => {
    const { drafts, rejected, rejectedBecause } = metrics(usage('input', 9, rest));
    expect([drafts.length, rejected]).toEqual([0, 1]);
    expect(rejectedBecause).toBe(
      'gemini_cli.token.usage: it is not a sum with a temporality and an amount from 0 up.',
    );
  });

  test('that add up to more than a number can hold are rejected, each of them', () => {
    const most = Number.MAX_SAFE_INTEGER;
    const { drafts, rejected } = metrics(usage('output', most), usage('thought', most));
    expect([drafts.length, rejected]).toEqual([0, 2]);
  });

  test('of a type that is not known are kept as they are', () => {
    const { unrecognised } = metrics(usage('audio', 1));
    expect(unrecognised.map(({ name }) => name)).toEqual(['gemini_cli.token.usage/audio']);
  });
});

describe('The counter of lines', () => {
  const lines = (type: string, amount: number, rest = {}) =>
    point('gemini_cli.lines.changed', amount, { function_name: 'replace', type }, rest);

  test.each([
    ['added', 'linesAdded'],
    ['removed', 'linesRemoved'],
  ])('of those %s is %s', (type, measure) => {
    const { event } = only(metrics(lines(type, 3)));
    expect(event.type).toBe('ActivityMetered');
    expect(event.data).toEqual({
      ...session,
      temporality: 'cumulative',
      readings: [{ measure, series: 'replace', since: '2026-11-20T17:58:00.000Z', amount: 3 }],
    });
  });

  test('is noise at zero, rejected as no sum and kept when of another type', () => {
    expect([...metrics(lines('added', 0)).noise.keys()]).toEqual(['lines.changed/zero']);
    expect(metrics(lines('added', 1, { kind: 'gauge' })).rejected).toBe(1);
    expect(metrics(lines('moved', 1)).unrecognised.length).toBe(1);
  });
});

describe('What logs tell better', () => {
  test.each([
    'gen_ai.client.token.usage',
    'gemini_cli.api.request.count',
    'gemini_cli.session.count',
  ])('the metric %s is noise', (name) => {
    const { drafts, noise } = metrics(point(name, 3));
    expect(drafts).toEqual([]);
    expect([...noise.values()]).toEqual([1]);
  });

  test.each(['llm_call', 'tool_call', 'schedule_tool_calls'])('the span %s is noise', (name) => {
    expect([...traces(span(name)).noise]).toEqual([[name, 1]]);
  });

  test('does not hide what is not known', () => {
    expect(traces(span('new_call')).unrecognised.map(({ name }) => name)).toEqual(['new_call']);
    const { unrecognised } = metrics(point('gemini_cli.brand.new', 1));
    expect(unrecognised.map(({ name }) => name)).toEqual(['gemini_cli.brand.new']);
  });
});

import { seriesOf } from './counters.translate.js';
import {
  metrics,
  only,
  point,
  receivedAt,
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
  test('are one event, of a kind each, so that no token is counted twice', () => {
    const { event } = only(metrics(...all()));
    const since = '2026-11-20T17:58:00.000Z';
    const series = seriesOf(usage('input', 1).attributes);
    expect(event.type).toBe('UsageMetered');
    expect(event.data).toEqual({
      ...session,
      thread: 'main',
      provider: 'google',
      model: 'gemini-2.5-pro',
      temporality: 'cumulative',
      at: '2026-11-20T17:59:00.123Z',
      readings: [
        { kind: 'input', series, since, amount: 5 },
        { kind: 'output', series, since, amount: 18 },
        { kind: 'prompt', series, since, amount: 12019 },
        { kind: 'promptCached', series, since, amount: 8413 },
        { kind: 'thoughts', series, since, amount: 48 },
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

  test('that are zero are noise, but that nothing of the prompt was cached is news', () => {
    const result = metrics(usage('input', 0), usage('thought', 0), usage('cache', 0));
    expect([...result.noise]).toEqual([['token.usage/zero', 2]]);
    expect(only(result).event.data).toMatchObject({
      readings: [{ kind: 'promptCached', amount: 0 }],
    });
  });

  test('that are told twice in one batch, or in another order, are the same event', () => {
    const twice = metrics(...all(), ...all().reverse());
    expect(only(twice).event).toEqual(only(metrics(...all())).event);
  });

  test('of other attributes are another series', () => {
    const { event } = only(
      metrics(
        usage('input', 1),
        usage('input', 2, {
          attributes: {
            type: 'input',
            model: 'gemini-2.5-pro',
            'session.id': sessionId,
            effort: 'low',
          },
        }),
      ),
    );
    const readings = event.type === 'UsageMetered' ? event.data.readings : [];
    expect(new Set(readings.map(({ series }) => series)).size).toBe(2);
  });

  test('are told apart by their own times, however far ahead the clock of the client is', () => {
    const ahead = 400n * 24n * 3_600_000_000_000n;
    const rest = { startTimeUnixNano: start + ahead, timeUnixNano: time + ahead };
    const { event } = only(metrics(usage('output', 7, rest)));
    expect(event.data).toMatchObject({
      at: '2027-12-25T17:59:00.123Z',
      readings: [{ since: '2027-12-25T17:58:00.000Z' }],
    });
    expect(event.metadata.occurredAt).toBe(receivedAt);
  });

  test('that began when they were read count whole', () => {
    const { event } = only(metrics(usage('output', 7, { startTimeUnixNano: time })));
    expect(event.data).toMatchObject({ readings: [{ amount: 7 }] });
  });

  test('that were read at no time that is told say so', () => {
    expect(only(metrics(usage('output', 7, { timeUnixNano: 0n }))).event.data).toMatchObject({
      at: null,
    });
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
      readings: [
        {
          measure,
          series: expect.stringMatching(/^replace \/ [0-9a-f]{16}$/) as string,
          since: '2026-11-20T17:58:00.000Z',
          amount: 3,
        },
      ],
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

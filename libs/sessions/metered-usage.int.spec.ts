import Database from 'better-sqlite3';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { upcast } from '#eventstore/vocabulary/vocabulary.js';
import { meteredAmounts, meteredSeriesSchema } from './metered-usage.js';
import { at, usageMetered } from './session-facts.specification.js';

type Metered = DataOf<'UsageMetered'>;
type Reading = Metered['readings'][number];

const db = new Database(':memory:');
let tables = 0;
afterAll(() => {
  db.close();
});

/** What each of the events adds, one after the other. */
function added(...events: Metered[]) {
  const table = `series_${(tables += 1)}`;
  db.exec(meteredSeriesSchema(table));
  return events.map(meteredAmounts(db, table));
}

function reading(kind: Reading['kind'], amount: number, rest: Partial<Reading> = {}): Reading {
  return { kind, series: 'a', since: at(0), amount, ...rest };
}

const read = (minute: number, ...readings: Reading[]) =>
  usageMetered({ temporality: 'cumulative', at: at(minute), readings });
const inputs = (...events: Metered[]) => added(...events).map(({ input }) => input);

describe('A cumulative reading', () => {
  test('adds what it exceeds the highest one by; a late or lower one adds nothing', () => {
    const [first, lower, higher] = [10, 4, 15].map((it, i) => read(i, reading('input', it)));
    expect(inputs(first!, lower!, higher!, first!)).toEqual([10, 0, 5, 0]);
  });

  test('begins again with another start, whichever of the two arrives first', () => {
    const before = read(1, reading('input', 10));
    const after = read(3, reading('input', 4, { since: at(2) }));
    expect(inputs(before, after)).toEqual([10, 4]);
    expect(inputs(after, before)).toEqual([4, 10]);
  });

  test('is measured against its own series alone', () => {
    const beside = reading('input', 4, { series: 'b' });
    expect(inputs(read(1, reading('input', 10)), read(1, beside))).toEqual([10, 4]);
  });
});

describe('A delta', () => {
  const delta = (since: string, minute: number | null) =>
    usageMetered({
      at: minute === null ? null : at(minute),
      readings: [reading('input', 7, { since })],
    });

  test('adds itself once, also where its repetition is another event', () => {
    expect(inputs(delta(at(0), 1), delta(at(1), 2), delta(at(0), 1))).toEqual([7, 7, 0]);
  });

  test('that overlaps another is another', () => {
    expect(inputs(delta(at(0), 1), delta(at(0), 2), delta(at(1), 2))).toEqual([7, 7, 7]);
  });

  test('read at a time that was not told adds itself', () => {
    expect(inputs(delta(at(0), null), delta(at(0), null))).toEqual([7, 7]);
  });
});

describe('A prompt', () => {
  const prompt = reading('prompt', 100);
  const cached = reading('promptCached', 80);

  test('is input but for what of it was cached', () => {
    expect(added(read(1, prompt, cached, reading('input', 3)))).toMatchObject([
      { input: 23, cacheRead: 80, output: 0, reasoningTold: 0 },
    ]);
  });

  test.each([
    ['first', [read(1, prompt), read(1, cached)], [0, 20]],
    ['second', [read(1, cached), read(1, prompt)], [0, 20]],
    ['in vain', [read(1, prompt), read(2, cached)], [0, 0]],
  ] as const)('waits for its cached part: it arrives %s', (_, events, wanted) => {
    expect(inputs(...events)).toEqual(wanted);
  });

  test('that waited in vain is made up for by the next export', () => {
    const next = [reading('prompt', 150), reading('promptCached', 90)];
    expect(inputs(read(1, prompt), read(2, ...next), read(1, cached))).toEqual([0, 60, 0]);
  });

  test('all of which was cached, and more, is no input', () => {
    expect(inputs(read(1, prompt, reading('promptCached', 120)))).toEqual([0]);
  });
});

test('Thoughts are output, and told as reasoning', () => {
  expect(added(read(1, reading('output', 18), reading('thoughts', 48)))).toMatchObject([
    { output: 66, reasoning: 48 },
  ]);
});

test('Readings of version 1 count as they did', () => {
  const reading = { kind: 'input', since: at(0), amount: 10 };
  const old = { ...usageMetered(), temporality: 'cumulative', readings: [reading] };
  const today = upcast('UsageMetered', 1, old) as Metered;
  expect(inputs(today, today)).toEqual([10, 0]);
});

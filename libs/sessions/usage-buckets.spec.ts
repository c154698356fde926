import fc from 'fast-check';
import { bucketsOf, isTimeZone, labelOf, type CalendarUnit } from './usage-buckets.js';

const DAY = 1_440;
const dayOf = (date: string) => Date.parse(`${date}T00:00:00Z`) / 60_000 / DAY;

function bucketsIn(zone: string, unit: CalendarUnit, ...dates: string[]): string[][] {
  return bucketsOf(dates.map(dayOf), unit, zone).map(({ start, end }) => [
    new Date(start * 60_000).toISOString().slice(0, 16),
    new Date(end * 60_000).toISOString().slice(0, 16),
    labelOf(start, unit, zone),
  ]);
}

describe('Buckets of time', () => {
  test('are those of the place', () => {
    expect(bucketsIn('Europe/Berlin', 'day', '2026-11-20')).toEqual([
      ['2026-11-19T23:00', '2026-11-20T23:00', '2026-11-20'],
      ['2026-11-20T23:00', '2026-11-21T23:00', '2026-11-21'],
    ]);
    expect(bucketsIn('Asia/Kathmandu', 'hour', '2026-11-20').slice(0, 2)).toEqual([
      ['2026-11-19T23:15', '2026-11-20T00:15', '2026-11-20 05:00'],
      ['2026-11-20T00:15', '2026-11-20T01:15', '2026-11-20 06:00'],
    ]);
  });

  test('have 23 and 25 hours where the clock is changed', () => {
    expect(bucketsIn('Europe/Berlin', 'day', '2026-03-29')[0]).toEqual([
      '2026-03-28T23:00',
      '2026-03-29T22:00',
      '2026-03-29',
    ]);
    expect(bucketsIn('America/New_York', 'day', '2026-11-01')[1]).toEqual([
      '2026-11-01T04:00',
      '2026-11-02T05:00',
      '2026-11-01',
    ]);
  });

  test('of weeks begin on Monday and are called by their number', () => {
    expect(bucketsIn('UTC', 'week', '2026-12-31')).toEqual([
      ['2026-12-28T00:00', '2027-01-04T00:00', '2026-W53'],
    ]);
  });

  test('of months', () => {
    expect(bucketsIn('UTC', 'month', '2026-02-28', '2026-03-01')).toEqual([
      ['2026-02-01T00:00', '2026-03-01T00:00', '2026-02'],
      ['2026-03-01T00:00', '2026-04-01T00:00', '2026-03'],
    ]);
  });

  test('cover every minute of the days once, wherever and whenever', () => {
    const zones = fc.constantFrom(
      ...['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu'],
      ...['America/Santiago', 'Pacific/Apia', 'Africa/Casablanca', 'Asia/Beirut'],
    );
    const units = fc.constantFrom<CalendarUnit>('hour', 'day', 'week', 'month');
    const days = fc
      .uniqueArray(fc.integer({ min: dayOf('2010-01-01'), max: dayOf('2030-01-01') }), {
        maxLength: 5,
      })
      .map((some) => some.sort((a, b) => a - b));
    const runs = fc
      .tuple(days, fc.nat(6))
      .map(([some, more]) => [
        ...new Set([...some, ...some.slice(-1).flatMap((day) => [day + 1, day + 1 + more])]),
      ]);
    fc.assert(
      fc.property(zones, units, runs, (zone, unit, some) => {
        const buckets = bucketsOf(some, unit, zone);
        for (const [index, { start, end }] of buckets.entries()) {
          expect(end).toBeGreaterThan(start);
          if (index > 0) expect(start).toBeGreaterThanOrEqual(buckets[index - 1]!.end);
        }
        for (const day of some) {
          for (let minute = day * DAY; minute < (day + 1) * DAY; minute += 15) {
            const holding = buckets.filter(({ start, end }) => start <= minute && minute < end);
            expect(holding).toHaveLength(1);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

test.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['local', false],
  ['Mars/Olympus', false],
  ['', false],
])('%s is a time zone: %s', (zone, expected) => {
  expect(isTimeZone(zone)).toBe(expected);
});

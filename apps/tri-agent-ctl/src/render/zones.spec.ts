import fc from 'fast-check';
import { DateTime } from 'luxon';
import { calendarStart, formatIn, isTimeZone, momentAt } from './zones.js';

const zone = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'Asia/Beirut',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Apia',
  'Africa/Cairo',
);
const moment = fc.date({
  min: new Date('2005-01-01T00:00:00Z'),
  max: new Date('2035-01-01T00:00:00Z'),
  noInvalidDate: true,
});

describe('A calendar of a time zone', () => {
  test('shows the clock and begins days, weeks and months as the calendar of the server does', () => {
    fc.assert(
      fc.property(moment, zone, fc.constantFrom('day', 'week', 'month'), (at, name, unit) => {
        const there = DateTime.fromJSDate(at, { zone: name });
        expect(formatIn(name, at)).toBe(there.toFormat('yyyy-MM-dd HH:mm'));
        const start = calendarStart(at, name, unit, 0);
        expect(start.toISOString()).toBe(there.startOf(unit).toUTC().toISO());
      }),
      { numRuns: 2_000 },
    );
  });

  test('goes back by whole units of the calendar', () => {
    const now = new Date('2026-11-20T12:34:56.789Z');
    const back = (unit: 'hour' | 'day' | 'week' | 'month', count: number, name = 'UTC'): string =>
      calendarStart(now, name, unit, count).toISOString();
    expect(back('hour', 23)).toBe('2026-11-19T13:00:00.000Z');
    expect(back('hour', 0, 'Asia/Kathmandu')).toBe('2026-11-20T12:15:00.000Z');
    expect(back('day', 29)).toBe('2026-10-22T00:00:00.000Z');
    // The clocks were set back on 25 October.
    expect(back('day', 29, 'Europe/Berlin')).toBe('2026-10-21T22:00:00.000Z');
    expect(back('week', 11)).toBe('2026-08-31T00:00:00.000Z');
    expect(back('month', 11)).toBe('2025-12-01T00:00:00.000Z');
  });

  test('takes the first of two moments with one time, and goes on where a time is skipped', () => {
    const berlin = (wall: string): string =>
      momentAt(Date.parse(wall), 'Europe/Berlin').toISOString();
    expect(berlin('2026-10-25T02:30:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(berlin('2026-03-29T02:30:00Z')).toBe('2026-03-29T01:30:00.000Z');
  });

  test('knows which zones there are', () => {
    expect(['UTC', 'Asia/Tokyo', 'Mars/Olympus', ''].map(isTimeZone)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

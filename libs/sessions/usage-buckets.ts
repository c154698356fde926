import { DateTime, IANAZone } from 'luxon';
import { MINUTE_MS } from './usage-totals.js';

/** Buckets of time that a calendar makes: their length depends on the place and on the season. */
export type CalendarUnit = 'hour' | 'day' | 'week' | 'month';

/** From `start` up to and without `end`, in minutes since 1970. */
export interface Bucket {
  readonly start: number;
  readonly end: number;
}

const DAY_MINUTES = 1_440;
const HOUR_MINUTES = 60;

/**
 * The buckets that usage of these days (days since 1970, UTC, in order) can lie in, in order. Weeks
 * begin on Monday.
 *
 * @param zone an IANA name that `isTimeZone` accepts.
 */
export function bucketsOf(days: readonly number[], unit: CalendarUnit, zone: string): Bucket[] {
  const buckets: Bucket[] = [];
  let last: Bucket | undefined;
  for (const day of days) {
    const dayEnd = (day + 1) * DAY_MINUTES;
    let minute = Math.max(day * DAY_MINUTES, last?.end ?? -Infinity);
    while (minute < dayEnd) {
      last = bucketAt(minute, unit, zone, last);
      buckets.push(last);
      minute = last.end;
    }
  }
  return buckets;
}

/** How people call the bucket that starts then: `2026-11-20 14:00`, `2026-11-20`, `2026-W47`, `2026-11`. */
export function labelOf(startMinute: number, by: string, zone: string): string {
  return timeAt(startMinute, zone).toFormat(formats[by] ?? 'yyyy-MM-dd HH:mm');
}

const formats: Readonly<Record<string, string>> = {
  day: 'yyyy-MM-dd',
  week: "kkkk-'W'WW",
  month: 'yyyy-MM',
};

export function isTimeZone(zone: string): boolean {
  return IANAZone.isValidZone(zone);
}

/** @param before the bucket before, which this one must not reach into. */
function bucketAt(minute: number, unit: CalendarUnit, zone: string, before?: Bucket): Bucket {
  const time = timeAt(minute, zone);
  if (unit === 'hour') {
    // Counted from the clock of the place: where it is set back, an hour of the day comes twice.
    const start = minute - ((minute + time.offset) % HOUR_MINUTES);
    return { start: Math.max(start, before?.end ?? -Infinity), end: start + HOUR_MINUTES };
  }
  const start = minute === before?.end ? time : time.startOf(unit);
  // Where the clock is set at midnight, the next day begins at another time than this one.
  const end = start.plus({ [`${unit}s`]: 1 }).startOf(unit);
  return { start: minuteOf(start), end: minuteOf(end) };
}

function timeAt(minute: number, zone: string): DateTime {
  return DateTime.fromMillis(minute * MINUTE_MS, { zone, locale: 'en-US' });
}

function minuteOf(time: DateTime): number {
  return Math.floor(time.toMillis() / MINUTE_MS);
}

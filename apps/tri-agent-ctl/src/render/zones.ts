/** Times of a place: when its days begin, and what its clocks show. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type CalendarUnit = 'hour' | 'day' | 'week' | 'month';

/** The time zone of this machine, an IANA name. */
export function machineZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function isTimeZone(zone: string): boolean {
  try {
    clockOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** What the clocks of that zone show: `2026-11-20 18:52`. */
export function formatIn(zone: string, at: Date): string {
  return new Date(wallOf(at.getTime(), zone)).toISOString().slice(0, 16).replace('T', ' ');
}

/**
 * When the clocks of a zone show that time (milliseconds as if it were UTC). Where they show it twice,
 * the first; where they skip it, just as long after as before.
 */
export function momentAt(wallMs: number, zone: string): Date {
  const either = [wallMs - DAY_MS, wallMs + DAY_MS].map((at) => wallMs - aheadOf(at, zone));
  const exact = either.filter((at) => wallOf(at, zone) === wallMs);
  return new Date(exact.length > 0 ? Math.min(...exact) : Math.max(...either));
}

/** The start of the calendar unit that `now` lies in, or of the one so many before. Weeks begin on Monday. */
export function calendarStart(now: Date, zone: string, unit: CalendarUnit, back: number): Date {
  if (unit === 'hour') {
    const at = now.getTime() - back * HOUR_MS;
    return new Date(at - (wallOf(at, zone) % HOUR_MS));
  }
  const wall = new Date(wallOf(now.getTime(), zone));
  const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()];
  const sinceMonday = (wall.getUTCDay() + 6) % 7;
  const starts = {
    day: () => Date.UTC(year, month, day - back),
    week: () => Date.UTC(year, month, day - sinceMonday - 7 * back),
    month: () => Date.UTC(year, month - back, 1),
  };
  return momentAt(starts[unit](), zone);
}

function wallOf(at: number, zone: string): number {
  return at + aheadOf(at, zone);
}

/** How far the clocks of a zone are ahead of UTC, in milliseconds. */
function aheadOf(at: number, zone: string): number {
  const clock = clockOf(zone);
  if (clock === undefined) return 0;
  const second = Math.floor(at / 1_000) * 1_000;
  const shown = new Map(
    clock.formatToParts(second).map(({ type, value }) => [type, Number(value)] as const),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => shown.get(name) ?? 0;
  return (
    Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    ) - second
  );
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Undefined for UTC, which needs none. @throws {RangeError} where there is no such zone. */
function clockOf(zone: string): Intl.DateTimeFormat | undefined {
  if (zone === 'UTC') return undefined;
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const two = '2-digit';
  const clock = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: two, day: two },
    ...{ hour: two, minute: two, second: two },
  });
  clocks.set(zone, clock);
  return clock;
}

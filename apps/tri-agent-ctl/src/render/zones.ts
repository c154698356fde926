import { existsSync, readlinkSync } from 'node:fs';

/** Times of a place: when its days begin, and what its clocks show. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type CalendarUnit = 'hour' | 'day' | 'week' | 'month';

let ownZone: string | undefined;

/**
 * The time zone of this machine, an IANA name. `Intl` knows it everywhere and is slower to load than
 * a short answer takes, so where the machine says it in a file, it is read there.
 */
export function machineZone(): string {
  ownZone ??= zoneOnDisk() ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return ownZone;
}

function zoneOnDisk(): string | undefined {
  try {
    const name =
      process.env.TZ || /\/zoneinfo\/(.+)$/.exec(readlinkSync('/etc/localtime'))?.[1] || '';
    if (name === 'UTC' || name === 'Etc/UTC') return 'UTC';
    const isName = /^[A-Z][a-z]+(\/[A-Z][A-Za-z_-]+)+$/.test(name);
    return isName && existsSync(`/usr/share/zoneinfo/${name}`) ? name : undefined;
  } catch {
    // No such link: another system, or a file in its place.
    return undefined;
  }
}

export function isTimeZone(zone: string): boolean {
  try {
    if (zone !== ownZone && zone !== 'UTC') clockOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** What the clocks of that zone show: `2026-11-20 18:52`. */
export function formatIn(zone: string, at: Date): string {
  return formatSecondIn(zone, at).slice(0, 16);
}

/** The same to the second: `2026-11-20 18:52:01`. */
export function formatSecondIn(zone: string, at: Date): string {
  return new Date(wallOf(at.getTime(), zone)).toISOString().slice(0, 19).replace('T', ' ');
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
  if (zone === 'UTC') return 0;
  if (zone === ownZone) return -new Date(at).getTimezoneOffset() * 60_000;
  const clock = clockOf(zone);
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

/** @throws {RangeError} where there is no such zone. */
function clockOf(zone: string): Intl.DateTimeFormat {
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

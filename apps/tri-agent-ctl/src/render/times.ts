import { nothing } from './numbers.js';
import { calendarStart, momentAt } from './zones.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The two largest units: `8s`, `5m`, `2h 5m`, `3d 4h`. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)}s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m`;
  if (ms < DAY_MS) {
    return `${Math.floor(ms / HOUR_MS)}h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)}m`;
  }
  return `${Math.floor(ms / DAY_MS)}d ${Math.floor((ms % DAY_MS) / HOUR_MS)}h`;
}

/** How long ago an ISO time was. */
export function formatAge(time: string | null | undefined, now: Date): string {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? nothing : formatDuration(now.getTime() - at);
}

/** `2026-11-20 18:52:01Z`. All times of the house are UTC, so that they compare with the log. */
export function formatTime(time: string | null | undefined): string {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at)
    ? nothing
    : `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** `18:52:01Z`. */
export function formatClock(time: string): string {
  return formatTime(time).slice(11) || nothing;
}

const spans: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

/** Milliseconds of `90s`, `30m`, `24h`, `7d`, `2w`; undefined when it is none of these. */
export function parseSpan(text: string): number | undefined {
  const found = /^(\d{1,6})([smhdw])$/.exec(text);
  return found === null ? undefined : Number(found[1]) * (spans[found[2] ?? ''] ?? 0);
}

/**
 * The moment meant by `90s`, `30m`, `24h`, `7d`, `2w` (ago), `now`, `today`, `yesterday` (their start),
 * a date or an ISO time; what names no offset is of that time zone. Undefined when it is none of these.
 */
export function parseMoment(text: string, now: Date, zone = 'UTC'): Date | undefined {
  const span = parseSpan(text);
  if (span !== undefined) return new Date(now.getTime() - span);
  if (text === 'now') return now;
  if (text === 'today') return calendarStart(now, zone, 'day', 0);
  if (text === 'yesterday') return calendarStart(now, zone, 'day', 1);
  const iso = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(
    text,
  );
  if (iso === null) return undefined;
  const [, date = '', time = 'T00:00', offset] = iso;
  if (offset !== undefined && iso[2] === undefined) return undefined;
  const at = Date.parse(`${date}${time}${offset ?? 'Z'}`);
  if (Number.isNaN(at)) return undefined;
  return offset === undefined ? momentAt(at, zone) : new Date(at);
}

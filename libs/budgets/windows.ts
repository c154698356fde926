import { DateTime, IANAZone } from 'luxon';
import type { BudgetWindow } from '#eventstore/vocabulary/budgets.events.js';

/** The time over which a budget adds up, in milliseconds since 1970. */
export interface Window {
  readonly startMs: number;
  /** null = it never ends. */
  readonly endMs: number | null;
}

export type CalendarWindow = Extract<BudgetWindow, 'day' | 'week' | 'month' | 'total'>;

export const SLIDING_MS = 60_000;

export function isTimeZone(zone: string): boolean {
  return IANAZone.isValidZone(zone);
}

/**
 * The day, week (from Monday) or month of the calendar of a place in which a moment lies. Where clocks
 * change, a day has 23 or 25 hours.
 */
function calendarWindow(window: CalendarWindow, timezone: string, atMs: number): Window {
  if (window === 'total') return { startMs: 0, endMs: null };
  const start = DateTime.fromMillis(atMs, { zone: timezone, locale: 'en-US' }).startOf(window);
  // Where the clock is set at midnight, the next day begins at another time than this one.
  const end = start.plus({ [`${window}s`]: 1 }).startOf(window);
  return { startMs: start.toMillis(), endMs: end.toMillis() };
}

/** Whether these are one window: a sliding one is the same for as long as it lasts. */
export function isSameWindow(window: BudgetWindow, startMs: number, otherMs: number): boolean {
  return window === 'minute' ? Math.abs(startMs - otherMs) < SLIDING_MS : startMs === otherMs;
}

/** Remembers the window of each calendar: working one out takes longer than everything else. */
export class Calendars {
  private readonly known = new Map<string, Window>();

  at(window: CalendarWindow, timezone: string, atMs: number): Window {
    const name = `${window} ${timezone}`;
    const known = this.known.get(name);
    if (known !== undefined && contains(known, atMs)) return known;
    const found = calendarWindow(window, timezone, atMs);
    this.known.set(name, found);
    return found;
  }
}

export function contains({ startMs, endMs }: Window, atMs: number): boolean {
  return startMs <= atMs && (endMs === null || atMs < endMs);
}

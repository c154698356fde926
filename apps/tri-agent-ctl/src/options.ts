import { InvalidArgumentError, Option } from 'commander';
import { limits } from '#kernel/limits.js';
import { nanoUsdFromDecimal } from '#kernel/money.js';
import { parseMoment, parseSpan } from './render/times.js';
import type { LightRun } from './light-run.js';

/** Options that several commands take, and what their values must look like. */

export function limitOption(atFirst: number): Option {
  return new Option('--limit <count>', 'that many at most')
    .argParser(wholeNumber(1))
    .default(atFirst);
}

export function countOption(): Option {
  return new Option('--count <count>', 'stop after that many events')
    .argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .default(Infinity, 'no end');
}

export function scopeOption(): Option {
  return new Option('--scope <scope>', 'whose settings: yours, or those of the project you are in')
    .choices(['user', 'project'])
    .default('user');
}

export function fileOption(): Option {
  return new Option('--file <path>', 'another settings file');
}

export function wholeNumber(min: number, max: number = limits.listItemsMax) {
  return (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** Kept as it is written, so that nothing of it is lost. */
export function dollars(text: string): string {
  if (nanoUsdFromDecimal(text) !== undefined) return text;
  throw new InvalidArgumentError(
    'It must be US dollars such as 3.75, with at most nine digits after the point.',
  );
}

/** Positions are opaque but for being digits. */
export function position(text: string): string {
  if (/^\d{1,30}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a position as "events tail" prints them.');
}

/** A day begins at midnight UTC here. */
export function moment(run: LightRun) {
  return (text: string): Date => {
    const at = parseMoment(text, run.io.now());
    if (at !== undefined) return at;
    throw new InvalidArgumentError(
      'It must be 30m, 24h, 7d, today, yesterday, a date such as 2026-11-20 or an ISO time.',
    );
  };
}

/** Milliseconds. */
export function span(text: string): number {
  const milliseconds = parseSpan(text);
  if (milliseconds !== undefined) return milliseconds;
  throw new InvalidArgumentError('It must be a time such as 90s, 30m, 24h, 7d or 2w.');
}

import { InvalidArgumentError, Option } from 'commander';
import { limits } from '#kernel/limits.js';

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

/** Positions are opaque but for being digits. */
export function position(text: string): string {
  if (/^\d{1,30}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a position as "events tail" prints them.');
}

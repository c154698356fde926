import { limits } from '#kernel/limits.js';

/**
 * Sound values out of a line of JSON that anybody may have written: what cannot be used comes back as
 * undefined, nothing throws.
 */

export type Json = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): Json | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Json) : undefined;
}

/** Text that is short enough to be a name. A longer one is none: cut, it could be another's. */
export function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return value.length <= limits.identifierCharactersMax ? value.toWellFormed() : undefined;
}

/** The last part of a path of whatever system. */
export function lastPartOf(path: unknown): string | undefined {
  return typeof path === 'string' ? nameOf(path.split(/[\\/]+/).findLast(Boolean)) : undefined;
}

/** Beyond it a date has no year. */
const LAST_TIME_MS = 8.64e15;
const isoTime =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?Z$/;

/** ISO-8601 UTC, of such a time, another notation of one, or milliseconds since 1970. */
export function timeOf(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  if (typeof value === 'string' && isoTime.test(value)) return value;
  const ms = typeof value === 'number' ? value : Date.parse(value);
  return Math.abs(ms) <= LAST_TIME_MS ? new Date(ms).toISOString() : undefined;
}

/** Absent counts as none, for versions that do not tell all kinds; undefined when it is no count. */
export function tokensOf(value: unknown): number | undefined {
  const tokens = value ?? 0;
  return Number.isSafeInteger(tokens) && Number(tokens) >= 0 ? Number(tokens) : undefined;
}

/** Whether one request can have used so many of any kind. */
export function areOfOneRequest(...tokens: readonly number[]): boolean {
  return tokens.every((amount) => amount <= limits.tokensPerRequestMax);
}

export const noTokens = 'a number of tokens is no whole number from 0 up, or too high';

import { limits } from '#kernel/limits.js';
import type { Exit, Failed, News } from './agent.js';

/**
 * Sound values out of a line that an agent, or anything that it runs, may have printed: what cannot be used
 * comes back as undefined, nothing throws.
 */

export type Json = Readonly<Record<string, unknown>>;

/** Undefined when the line is no JSON object. */
export function jsonOf(line: string): Json | undefined {
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    return objectOf(JSON.parse(line));
  } catch {
    return undefined;
  }
}

export function objectOf(value: unknown): Json | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Json) : undefined;
}

export function objectsOf(value: unknown): Json[] {
  if (!Array.isArray(value)) return [];
  return value.map(objectOf).filter((item) => item !== undefined);
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Text that is short enough to be a name. A longer one is none: cut, it could be another's. */
export function nameOf(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && text.length <= limits.identifierCharactersMax
    ? text.toWellFormed()
    : undefined;
}

/** A whole number from 0 up. */
export function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

export function statusOf(value: unknown): number | undefined {
  const status = countOf(value);
  return status !== undefined && status >= 100 && status <= 599 ? status : undefined;
}

/** Milliseconds, a fraction rounded up. */
export function waitOf(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0)) return undefined;
  return Math.min(Math.ceil(value), limits.coolDownMsMax);
}

/** The sum, or undefined when one of them is no count, or they are more than a number can tell. */
export function sumOf(values: readonly unknown[]): number | undefined {
  const sum = values.reduce<number>((all, value) => all + (countOf(value ?? 0) ?? NaN), 0);
  return countOf(sum);
}

/** At most so many characters, whole ones, the last an ellipsis where some are missing. */
export function clipped(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text.toWellFormed();
  const cut = text.slice(0, charactersMax - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`.toWellFormed();
}

/** On one line, for a log. */
function oneLine(text: string): string {
  return clipped(
    text
      .slice(0, limits.lineCharactersMax * 4)
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim(),
    limits.lineCharactersMax,
  );
}

export function progress(what: string, percent?: number): News[] {
  const line = oneLine(what);
  if (line === '') return [];
  return [{ is: 'progress', what: line, ...(percent === undefined ? {} : { percent }) }];
}

export function said(text: string | undefined): News[] {
  return text === undefined || text.trim() === ''
    ? []
    : [{ is: 'text', text: clipped(text, limits.noteCharactersMax) }];
}

/** How much of a plan is done, from 0 to 100. */
export function percentOf(steps: readonly Json[], isDone: (step: Json) => boolean): number {
  return Math.floor((100 * steps.filter(isDone).length) / Math.max(1, steps.length));
}

/** What tells most about a tool call, by the names that its inputs have. */
const telling = ['command', 'file_path', 'path', 'pattern', 'query', 'url', 'description', 'name'];

/** Such as `Bash: npm test`. */
export function toolCall(name: unknown, input: unknown): string {
  const inputs = objectOf(input);
  const detail = telling.map((key) => textOf(inputs?.[key])).find((text) => text !== undefined);
  return `${nameOf(name) ?? 'a tool'}${detail === undefined ? '' : `: ${detail}`}`;
}

/** A line that says nothing that is understood. */
export function unreadable(text: string, isCut: boolean): News[] {
  return progress(isCut ? `(a line that is too long) ${text}` : text);
}

export function failed(error: string, retryable: boolean, sessionId: string | null): Failed {
  return { is: 'failed', error: sentence(error), retryable, sessionId };
}

/** On one line, with a full stop. */
function sentence(text: string): string {
  const line = clipped(text.replace(/[\s\p{Cc}]+/gu, ' ').trim(), limits.noteCharactersMax - 1);
  return /[.!?…]$/.test(line) ? line : `${line}.`;
}

/** How it ended, such as `was ended by SIGTERM` or `ended with exit code 1`. */
export function endOf({ exitCode, signal }: Exit): string {
  if (signal !== null) return `was ended by ${oneLine(signal)}`;
  return exitCode === null ? 'was ended' : `ended with exit code ${exitCode}`;
}

/** With a colon before it: the last line that names an error, for hints may follow it, else the last. */
export function lastWords({ stderrTail }: Exit): string {
  const lines = stderrTail
    .slice(-limits.noteCharactersMax)
    .split('\n')
    .filter((text) => text.trim() !== '');
  const line = lines.findLast((text) => /^\s{0,9}\w{0,40}error\b/i.test(text)) ?? lines.at(-1);
  return line === undefined ? '' : `: ${oneLine(line)}`;
}

/** Statuses by which a provider says that this request will never do. */
const hopeless = [400, 404, 413, 422];

export function isHopeless(statusCode: number | undefined): boolean {
  return statusCode !== undefined && hopeless.includes(statusCode);
}

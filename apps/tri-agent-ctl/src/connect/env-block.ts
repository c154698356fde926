import { isDeepStrictEqual, parseEnv } from 'node:util';

/**
 * A marked block of variables at the end of a `.env` file. In such files the last value wins, so that
 * whatever else stands there can stay as it is. Values are text.
 */

const openingLine =
  '# >>> tri-agent: added by "tri-agent-ctl connect", removed by "tri-agent-ctl disconnect"';
const closingLine = '# <<< tri-agent';

interface Block {
  readonly start: number;
  /** The line break after its last line not included. */
  readonly end: number;
  readonly lines: readonly string[];
}

export function envValues(text: string): Record<string, string> {
  return { ...parseEnv(text) } as Record<string, string>;
}

export function hasEnvBlock(text: string): boolean {
  return blockOf(text) !== undefined;
}

/**
 * The text with these variables set, or no longer set by the block where undefined. Undefined when that
 * cannot be done, as in a file that ends within quotes.
 */
export function editEnvBlock(
  text: string,
  changes: ReadonlyMap<string, unknown>,
): string | undefined {
  const block = blockOf(text);
  const outside = block === undefined ? text : removeBlock(text, block);
  const values = envValues(outside);
  let lines = block?.lines ?? [];
  for (const [key, value] of changes) {
    const others = lines.filter((line) => !line.startsWith(`${key}=`));
    const needed = typeof value === 'string' && values[key] !== value;
    lines = needed ? [...others, `${key}=${value}`] : others;
  }
  const edited = lines.length === 0 ? outside : appendBlock(outside, lines);
  return isAsMeant(text, edited, changes) ? edited : undefined;
}

function isAsMeant(before: string, after: string, changes: ReadonlyMap<string, unknown>): boolean {
  const was = envValues(before);
  const is = envValues(after);
  for (const [key, value] of changes) {
    if (value !== undefined && is[key] !== value) return false;
    Reflect.deleteProperty(was, key);
    Reflect.deleteProperty(is, key);
  }
  return isDeepStrictEqual(was, is);
}

function blockOf(text: string): Block | undefined {
  const found = /^# >>> tri-agent[^\r\n]*\r?\n([^]*?)^# <<< tri-agent[^\r\n]*/m.exec(text);
  if (found === null) return undefined;
  const lines = (found[1] ?? '').split(/\r?\n/).slice(0, -1);
  return { start: found.index, end: found.index + found[0].length, lines };
}

/** Before the last line break, if there is one, so that the text ends as it did. */
function appendBlock(text: string, lines: readonly string[]): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const block = [openingLine, ...lines, closingLine].join(newline);
  if (text === '') return block + newline;
  const end = text.endsWith(newline) ? text.length - newline.length : text.length;
  return text.slice(0, end) + newline + block + text.slice(end);
}

function removeBlock(text: string, { start, end }: Block): string {
  if (start === 0) return text.slice(end).replace(/^\r?\n/, '');
  return text.slice(0, start).replace(/\r?\n$/, '') + text.slice(end);
}

import { parse } from 'smol-toml';

/**
 * Where the statements of a TOML text stand. The text must be valid TOML already, so that this has only
 * to find the ends of things and not to judge them.
 */

export interface Statement {
  readonly kind: 'table' | 'pair';
  /** All keys from the root on. */
  readonly path: readonly string[];
  /** The table under whose header it stands; empty before the first header. */
  readonly table: readonly string[];
  /** The beginning of its first line and the end of its last, the line break not included. */
  readonly start: number;
  readonly end: number;
  /** Of a pair's value; of a header, nothing. */
  readonly valueStart: number;
  readonly valueEnd: number;
}

export function statementsOf(text: string): Statement[] {
  const statements: Statement[] = [];
  let table: readonly string[] = [];
  let at = skipBlank(text, 0);
  while (at < text.length) {
    const start = text.lastIndexOf('\n', at - 1) + 1;
    const brackets = /^\[{0,2}/.exec(text.slice(at, at + 2))?.[0].length ?? 0;
    const keyEnd = endOfKey(text, at + brackets);
    const keys = keysOf(text.slice(at + brackets, keyEnd));
    if (brackets > 0) table = keys;
    const path = brackets > 0 ? keys : [...table, ...keys];
    const valueStart = brackets > 0 ? keyEnd + brackets : skipSpace(text, keyEnd + 1);
    const valueEnd = brackets > 0 ? valueStart : endOfValue(text, valueStart);
    const end = endOfLine(text, valueEnd);
    const kind = brackets > 0 ? 'table' : 'pair';
    statements.push({ kind, path, table, start, end, valueStart, valueEnd });
    at = skipBlank(text, end);
  }
  return statements;
}

/** `a."b.c"` is the keys `a` and `b.c`: the parser itself knows best. */
function keysOf(text: string): string[] {
  const keys: string[] = [];
  let inner: unknown = parse(`${text} = 0`);
  while (typeof inner === 'object' && inner !== null) {
    const [[key, value] = ['', 0]] = Object.entries(inner);
    keys.push(key);
    inner = value;
  }
  return keys;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}

/** Past white space, line breaks and comments. */
function skipBlank(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    if (text[at] === '#') at = endOfLine(text, at);
    else if (/\s/.test(text[at] ?? '')) at += 1;
    else break;
  }
  return at;
}

function endOfLine(text: string, from: number): number {
  const newline = text.indexOf('\n', from);
  if (newline < 0) return text.length;
  return text[newline - 1] === '\r' && newline > from ? newline - 1 : newline;
}

/** At the `=` of a pair or the `]` of a header. */
function endOfKey(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '=' && text[at] !== ']') {
    at = isQuote(text[at]) ? endOfString(text, at) : at + 1;
  }
  return at;
}

function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  let end = from;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (depth === 0 && /[\n#]/.test(character)) break;
    if (character === '#') at = endOfLine(text, at);
    else if (isQuote(character)) at = endOfString(text, at);
    else {
      if (/[[{]/.test(character)) depth += 1;
      if (/[\]}]/.test(character)) depth -= 1;
      at += 1;
    }
    if (!/\s/.test(character)) end = at;
  }
  return end;
}

function isQuote(character: string | undefined): boolean {
  return character === '"' || character === "'";
}

function endOfString(text: string, from: number): number {
  const quote = text[from] ?? '';
  const triple = text.startsWith(quote.repeat(3), from);
  const close = triple ? quote.repeat(3) : quote;
  let at = from + close.length;
  while (at < text.length && !text.startsWith(close, at)) {
    at += quote === '"' && text[at] === '\\' ? 2 : 1;
  }
  at += close.length;
  // One or two quotes may stand right before the three that close.
  while (triple && text[at] === quote) at += 1;
  return at;
}

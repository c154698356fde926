import { isDeepStrictEqual } from 'node:util';

/**
 * Changes single members of an object in JSON text and leaves every other character as it is, so that
 * a file that a person keeps stays the way they wrote it. The text must be valid JSON already.
 */

export type JsonObject = Record<string, unknown>;

/** Where something stands between two brackets. */
interface Item {
  readonly start: number;
  readonly end: number;
}

interface Member extends Item {
  readonly key: string;
  readonly valueStart: number;
}

interface Scanned<Of extends Item> {
  readonly items: readonly Of[];
  readonly close: number;
}

/**
 * The text with these members of its member `name` (an object, made when absent) set, or removed where
 * the value is undefined. Undefined when that cannot be done faithfully, as with a key that stands twice.
 */
export function editObjectMember(
  text: string,
  name: string,
  changes: ReadonlyMap<string, unknown>,
  removeWhenEmpty = false,
): string | undefined {
  const root = text.indexOf('{');
  const expected = JSON.parse(text) as JsonObject;
  const inner = { ...(expected[name] as JsonObject | undefined) };
  for (const [key, value] of changes) {
    if (value === undefined) Reflect.deleteProperty(inner, key);
    else inner[key] = value;
  }
  const gone = removeWhenEmpty && Object.keys(inner).length === 0;
  if (gone) Reflect.deleteProperty(expected, name);
  else expected[name] = inner;

  let edited = text;
  const member = memberOf(text, root, name);
  if (gone || member === undefined) edited = setMember(text, root, name, gone ? undefined : inner);
  else {
    for (const [key, value] of changes) edited = setMember(edited, member.valueStart, key, value);
  }
  return isDeepStrictEqual(JSON.parse(edited), expected) ? edited : undefined;
}

/** The member of the object whose brace is at `open`. */
export function memberOf(text: string, open: number, key: string): Member | undefined {
  return membersOf(text, open).items.findLast((member) => member.key === key);
}

/** Sets a member of the object whose brace is at `open`, or removes it where the value is undefined. */
export function setMember(text: string, open: number, key: string, value: unknown): string {
  const scanned = membersOf(text, open);
  const index = scanned.items.findLastIndex((member) => member.key === key);
  const member = scanned.items[index];
  if (value === undefined) return without(text, open, scanned, index);
  if (member !== undefined) {
    return spliced(text, member.valueStart, member.end, JSON.stringify(value));
  }
  const write = (lead: string): string => `${JSON.stringify(key)}: ${written(value, lead, text)}`;
  return withLast(text, open, scanned, write);
}

/**
 * Sets an element of the list whose bracket is at `open`, one behind the last where there is none at
 * that index, or removes it where the value is undefined.
 */
export function setElement(text: string, open: number, index: number, value: unknown): string {
  const scanned = elementsOf(text, open);
  const element = scanned.items[index];
  if (value === undefined) return without(text, open, scanned, index);
  if (element !== undefined) {
    return spliced(text, element.start, element.end, JSON.stringify(value));
  }
  return withLast(text, open, scanned, (lead) => written(value, lead, text));
}

function spliced(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}

/** As `withLast` put it in, so that nothing of it stays. */
function without(
  text: string,
  open: number,
  { items, close }: Scanned<Item>,
  index: number,
): string {
  const [previous, item, next] = [items[index - 1], items[index], items[index + 1]];
  if (item === undefined) return text;
  if (next !== undefined) return spliced(text, item.start, next.start, '');
  return previous === undefined
    ? spliced(text, open + 1, close, '')
    : spliced(text, previous.end, item.end, '');
}

/** @param write the text of what comes in, given the line break and indentation that lead to it. */
function withLast(
  text: string,
  open: number,
  { items, close }: Scanned<Item>,
  write: (lead: string) => string,
): string {
  const last = items.at(-1);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  if (last === undefined) {
    const outer = indentAt(text, open);
    const lead = `${newline}${outer}${indentOf(text)}`;
    return spliced(text, open + 1, close, `${lead}${write(lead)}${newline}${outer}`);
  }
  const lead = leadOf(text, last.start);
  return spliced(text, last.end, last.end, `,${lead}${write(lead)}`);
}

/** A value over several lines where its neighbours stand on lines of their own. */
function written(value: unknown, lead: string, text: string): string {
  const indent = lead.includes('\n') ? indentOf(text) : undefined;
  return JSON.stringify(value, null, indent).replaceAll('\n', lead);
}

/** The line break and indentation before a key; empty where it shares its line with others. */
function leadOf(text: string, keyStart: number): string {
  return /\r?\n[ \t]*$/.exec(text.slice(0, keyStart))?.[0] ?? '';
}

/** The indentation of the line in which that position is. */
function indentAt(text: string, position: number): string {
  const lineStart = text.lastIndexOf('\n', position) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? '';
}

/** One step of indentation as the first indented line has it. */
function indentOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
}

function membersOf(text: string, open: number): Scanned<Member> {
  return scan(text, open, '}', (start) => {
    const keyEnd = endOfValue(text, start);
    const key = JSON.parse(text.slice(start, keyEnd)) as string;
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    return { key, start, valueStart, end: endOfValue(text, valueStart) };
  });
}

function elementsOf(text: string, open: number): Scanned<Item> {
  return scan(text, open, ']', (start) => ({ start, end: endOfValue(text, start) }));
}

function scan<Of extends Item>(
  text: string,
  open: number,
  closing: string,
  itemAt: (start: number) => Of,
): Scanned<Of> {
  const items: Of[] = [];
  let at = skipSpace(text, open + 1);
  while (text[at] !== closing) {
    const item = itemAt(at);
    items.push(item);
    at = skipSpace(text, item.end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return { items, close: at };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? 'x')) at += 1;
  return at;
}

function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const character = text[at] ?? '';
    if (character === '"') at = endOfString(text, at);
    else {
      if (character === '{' || character === '[') depth += 1;
      if (character === '}' || character === ']') depth -= 1;
      at += 1;
    }
    // A number, true, false or null outside of all brackets ends where punctuation or space begins.
    if (depth === 0 && /["{}[\]]/.test(character)) return at;
  } while (at < text.length && (depth > 0 || !/[\s,}\]]/.test(text[at] ?? '')));
  return at;
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

import { isDeepStrictEqual } from 'node:util';

/**
 * Changes single members of an object in JSON text and leaves every other character as it is, so that
 * a file that a person keeps stays the way they wrote it. The text must be valid JSON already.
 */

export type JsonObject = Record<string, unknown>;

interface Member {
  readonly key: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

interface ScannedObject {
  readonly members: readonly Member[];
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

function memberOf(text: string, open: number, key: string): Member | undefined {
  return scan(text, open).members.findLast((member) => member.key === key);
}

function setMember(text: string, open: number, key: string, value: unknown): string {
  const { members, close } = scan(text, open);
  const index = members.findLastIndex((member) => member.key === key);
  const member = members[index];
  const splice = (from: number, to: number, by: string): string =>
    text.slice(0, from) + by + text.slice(to);
  if (value === undefined) {
    if (member === undefined) return text;
    const next = members[index + 1];
    const previous = members[index - 1];
    if (next !== undefined) return splice(member.start, next.start, '');
    return previous === undefined
      ? splice(open + 1, close, '')
      : splice(previous.end, member.end, '');
  }
  if (member !== undefined) {
    return splice(member.valueStart, member.end, JSON.stringify(value));
  }
  const last = members.at(-1);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  if (last === undefined) {
    const outer = indentAt(text, open);
    const lead = `${newline}${outer}${indentOf(text)}`;
    return splice(open + 1, close, `${lead}${written(key, value, lead, text)}${newline}${outer}`);
  }
  const lead = leadOf(text, last.start);
  return splice(last.end, last.end, `,${lead}${written(key, value, lead, text)}`);
}

/** `"key": value`, over several lines where its neighbours stand on lines of their own. */
function written(key: string, value: unknown, lead: string, text: string): string {
  const indent = lead.includes('\n') ? indentOf(text) : undefined;
  return `${JSON.stringify(key)}: ${JSON.stringify(value, null, indent).replaceAll('\n', lead)}`;
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

/** `text[open]` is the brace that opens the object. */
function scan(text: string, open: number): ScannedObject {
  const members: Member[] = [];
  let at = skipSpace(text, open + 1);
  while (text[at] !== '}') {
    const start = at;
    at = endOfValue(text, start);
    const key = JSON.parse(text.slice(start, at)) as string;
    const valueStart = skipSpace(text, skipSpace(text, at) + 1);
    const end = endOfValue(text, valueStart);
    members.push({ key, start, valueStart, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return { members, close: at };
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

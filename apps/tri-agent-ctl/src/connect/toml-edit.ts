import { isDeepStrictEqual } from 'node:util';
import { parse, TomlDate, type TomlTable } from 'smol-toml';
import { statementsOf, type Statement } from './toml-statements.js';

/**
 * Changes single keys of a table in TOML text and leaves every other character as it is. Values are TOML
 * source text, so that what was replaced can be put back as somebody wrote it.
 */

/** @throws {TomlError} when it is no TOML. */
export function parseToml(text: string): TomlTable {
  return parse(text, { integersAsBigInt: 'asNeeded' });
}

/** The values of a table as TOML source; of one that is not written as a value, in the shortest form. */
export function tableValues(text: string, name: string): Record<string, string> {
  const table = parseToml(text)[name];
  if (!isTable(table)) return {};
  const statements = statementsOf(text);
  return Object.fromEntries(
    Object.entries(table).map(([key, value]) => {
      const pair = pairOf(statements, name, key);
      const source = pair && text.slice(pair.valueStart, pair.valueEnd);
      return [key, source ?? tomlSource(value)];
    }),
  );
}

/** Whether there is a header of that table. */
export function hasTable(text: string, name: string): boolean {
  return statementsOf(text).some(({ kind, path }) => kind === 'table' && isPath(path, name));
}

/** A value on one line. */
export function tomlSource(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlSource).join(', ')}]`;
  if (value instanceof TomlDate) return value.toISOString();
  if (!isTable(value)) return typeof value === 'string' ? JSON.stringify(value) : String(value);
  const members = Object.entries(value).map(([key, member]) => {
    const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
    return `${name} = ${tomlSource(member)}`;
  });
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

/** What that source text says, or undefined. */
export function tomlValue(source: unknown): unknown {
  return typeof source === 'string' ? parseToml(`value = ${source}`)['value'] : undefined;
}

function isTable(value: unknown): value is TomlTable {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof TomlDate)
  );
}

/**
 * The text with these keys of that table set, or removed where undefined; the table is made when there is
 * none, and removed with its last key when that is asked for. Undefined when it cannot be done
 * faithfully, as with a table that is written as a value or a value that is written as a table.
 */
export function editTable(
  text: string,
  name: string,
  changes: ReadonlyMap<string, unknown>,
  removeWhenEmpty = false,
): string | undefined {
  let edited = text;
  for (const [key, source] of changes) {
    edited =
      typeof source === 'string'
        ? setKey(edited, name, key, source)
        : removeKey(edited, pairOf(statementsOf(edited), name, key));
    if (!isToml(edited)) return undefined;
  }
  if (removeWhenEmpty) edited = removeEmptyTable(edited, name);
  const meant = structuredClone(expected(text, edited, name, changes));
  return isDeepStrictEqual(structuredClone(parseToml(edited)), meant) ? edited : undefined;
}

function isToml(text: string): boolean {
  try {
    parseToml(text);
    return true;
  } catch {
    return false;
  }
}

function expected(
  before: string,
  after: string,
  name: string,
  changes: ReadonlyMap<string, unknown>,
): TomlTable {
  const whole = parseToml(before);
  const table = isTable(whole[name]) ? whole[name] : (whole[name] = {});
  for (const [key, source] of changes) {
    if (source === undefined) Reflect.deleteProperty(table, key);
    else table[key] = tomlValue(source) as TomlTable;
  }
  const gone = Object.keys(table).length === 0 && !(name in parseToml(after));
  if (gone) Reflect.deleteProperty(whole, name);
  return whole;
}

function pairOf(
  statements: readonly Statement[],
  name: string,
  key: string,
): Statement | undefined {
  return statements.find(({ kind, path }) => kind === 'pair' && isPath(path, name, key));
}

function isPath(path: readonly string[], ...keys: readonly string[]): boolean {
  return isDeepStrictEqual(path, keys);
}

function setKey(text: string, name: string, key: string, source: string): string {
  const statements = statementsOf(text);
  const pair = pairOf(statements, name, key);
  if (pair !== undefined) {
    return text.slice(0, pair.valueStart) + source + text.slice(pair.valueEnd);
  }
  const inTable = statements.findLast(({ table }) => isPath(table, name));
  if (inTable !== undefined) return insertAfter(text, inTable, `${key} = ${source}`);
  const dotted = statements.findLast(
    ({ table, path }) => table.length === 0 && path[0] === name && path.length > 1,
  );
  if (dotted !== undefined) return insertAfter(text, dotted, `${name}.${key} = ${source}`);
  return appendTable(text, name, `${key} = ${source}`);
}

function insertAfter(text: string, { start, end }: Statement, line: string): string {
  const indent = /^[ \t]*/.exec(text.slice(start))?.[0] ?? '';
  return `${text.slice(0, end)}${newlineOf(text)}${indent}${line}${text.slice(end)}`;
}

/** Before the last line break, if there is one, so that the text ends as it did. */
function appendTable(text: string, name: string, line: string): string {
  const newline = newlineOf(text);
  const table = `[${name}]${newline}${line}`;
  if (text === '') return table + newline;
  const end = text.endsWith(newline) ? text.length - newline.length : text.length;
  return `${text.slice(0, end)}${newline}${newline}${table}${text.slice(end)}`;
}

/** Takes out the line with the line break before it, as `insertAfter` put it in. */
function removeKey(text: string, pair: Statement | undefined): string {
  if (pair === undefined) return text;
  return text.slice(0, endOfLineBefore(text, pair.start)) + text.slice(pair.end);
}

/** Only one that holds nothing at all, not even a comment. */
function removeEmptyTable(text: string, name: string): string {
  const statements = statementsOf(text);
  const index = statements.findIndex(({ kind, path }) => kind === 'table' && isPath(path, name));
  const header = statements[index];
  if (header === undefined || text.slice(header.start, header.end) !== `[${name}]`) return text;
  const next = statements[index + 1];
  const inside = text.slice(header.end, next?.start ?? text.length);
  if (next?.kind === 'pair' || inside.trim() !== '') return text;
  if (header.start === 0) return text.slice(header.end).replace(/^\r?\n/, '');
  const above = endOfLineBefore(text, header.start);
  const blank = /(?:^|\n)$/.test(text.slice(0, above));
  return text.slice(0, blank ? endOfLineBefore(text, above) : above) + text.slice(header.end);
}

/** Where the line before the one that starts there ends. */
function endOfLineBefore(text: string, start: number): number {
  return /\r?\n$/.exec(text.slice(0, start))?.index ?? 0;
}

function newlineOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

import type { Attributes, AttributeValue } from './otlp.records.js';
import type { Bag, Tally } from './otlp.limit.decode.js';
import { emptyBag, int64Value, malformed, validId } from './otlp.limit.decode.js';

/** An object as JSON.parse returns it. The names that are read of it are none that all objects have. */
export type JsonObject = Readonly<Record<string, unknown>>;

const UINT64_MAX = 2n ** 64n - 1n;
const DECIMAL = /^-?\d{1,20}$/;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const NOT_NUMBERS: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

function wrong(name: string, expected: string): Error {
  return malformed(`The field "${name}" must be ${expected}.`);
}

/** Undefined where the field is missing or null, which ProtoJSON takes for the same. */
function present(of: JsonObject, name: string): unknown {
  return of[name] ?? undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function object(of: JsonObject, name: string): JsonObject | undefined {
  const value = present(of, name);
  if (value === undefined || isObject(value)) return value;
  throw wrong(name, 'an object');
}

const NOTHING: readonly JsonObject[] = [];

export function objects(of: JsonObject, name: string): readonly JsonObject[] {
  const value = present(of, name);
  if (value === undefined) return NOTHING;
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw wrong(name, 'a list of objects');
}

export function text(of: JsonObject, name: string): string {
  const value = present(of, name) ?? '';
  if (typeof value === 'string') return value;
  throw wrong(name, 'text');
}

export function bool(of: JsonObject, name: string): boolean {
  const value = present(of, name) ?? false;
  if (typeof value === 'boolean') return value;
  throw wrong(name, 'true or false');
}

/** OTLP/JSON departs from ProtoJSON here: an enum is its number, never its name. */
export function enumeration(of: JsonObject, name: string): number {
  const value = present(of, name) ?? 0;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw wrong(name, 'the number of an enum value, not its name');
}

/** An unsigned 64-bit integer, as a number or as decimal text. */
export function uint64(of: JsonObject, name: string): bigint {
  const value = present(of, name) ?? 0;
  const integer = integerOf(value);
  if (integer !== undefined && integer >= 0n && integer <= UINT64_MAX) return integer;
  throw wrong(name, 'an unsigned 64-bit integer');
}

export function uint32(of: JsonObject, name: string): number {
  const value = uint64(of, name);
  if (value <= 0xffff_ffffn) return Number(value);
  throw wrong(name, 'an unsigned 32-bit integer');
}

/** A signed 64-bit integer as a number where that is exact, else as decimal text. */
export function int64(of: JsonObject, name: string): number | string {
  const value = present(of, name);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  const integer = integerOf(value);
  const result = integer === undefined ? undefined : int64Value(integer);
  if (result !== undefined) return result;
  throw wrong(name, 'a signed 64-bit integer');
}

function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && DECIMAL.test(value) ? BigInt(value) : undefined;
}

export function double(of: JsonObject, name: string): number {
  const value = present(of, name);
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    const special = NOT_NUMBERS.get(value);
    if (special !== undefined) return special;
    const number = Number(value);
    if (value.trim() !== '' && !Number.isNaN(number)) return number;
  }
  throw wrong(name, 'a number');
}

/** Ids are hex in OTLP/JSON, of either case, and not base64 as in ProtoJSON. */
export function id(of: JsonObject, name: string, bytes: number): string {
  const value = text(of, name);
  if (HEX.test(value)) return validId(value.toLowerCase(), bytes);
  throw wrong(name, 'hexadecimal');
}

export function attributes(of: JsonObject, tally: Tally): Attributes {
  const bag = emptyBag();
  pairs(objects(of, 'attributes'), bag, tally, 1);
  return bag;
}

function pairs(list: readonly JsonObject[], into: Bag, tally: Tally, level: number): void {
  for (const pair of list) {
    tally.value();
    into[text(pair, 'key')] = anyValue(object(pair, 'value'), tally, level);
  }
}

/** What an AnyValue holds: one of its fields is set, or none, which is null. */
export function anyValue(
  value: JsonObject | undefined,
  tally: Tally,
  level: number,
): AttributeValue {
  tally.level(level);
  if (value === undefined) return null;
  if (isSet(value, 'stringValue')) return text(value, 'stringValue');
  if (isSet(value, 'intValue')) return int64(value, 'intValue');
  if (isSet(value, 'boolValue')) return bool(value, 'boolValue');
  if (isSet(value, 'doubleValue')) return double(value, 'doubleValue');
  if (isSet(value, 'arrayValue')) return arrayValue(value, tally, level);
  if (isSet(value, 'bytesValue')) return base64(value, 'bytesValue');
  const list = object(value, 'kvlistValue');
  if (list === undefined) return null;
  const bag = emptyBag();
  pairs(objects(list, 'values'), bag, tally, level + 1);
  return bag;
}

function isSet(value: JsonObject, name: string): boolean {
  return present(value, name) !== undefined;
}

function arrayValue(value: JsonObject, tally: Tally, level: number): AttributeValue[] {
  return objects(object(value, 'arrayValue') ?? {}, 'values').map((item) => {
    tally.value();
    return anyValue(item, tally, level + 1);
  });
}

/** Bytes stay base64, in its standard alphabet, as the protobuf decoder writes them too. */
function base64(of: JsonObject, name: string): string {
  const value = text(of, name);
  if (BASE64.test(value)) return Buffer.from(value, 'base64').toString('base64');
  throw wrong(name, 'base64');
}

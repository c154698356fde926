import { createHash } from 'node:crypto';
import type { Signal } from './otlp.records.js';

/**
 * Makes a recorded body look new: times moved, ids renamed, everything else as it was. Bodies keep
 * their length, so that what is measured on a rewritten one holds for the recorded one.
 */
export interface Rewriting {
  /** Added to every time. */
  readonly shiftNanos: bigint;
  /** Gives a session, prompt, message, request, tool use or agent another id of the same length. */
  readonly renameId: (id: string) => string;
}

/** Attributes whose text is an id of something that happened once. */
const idAttributes = new Set([
  'session.id',
  'prompt.id',
  'message.uuid',
  'request_id',
  'client_request_id',
  'tool_use_id',
  'agent_id',
  'gen_ai.conversation.id',
  'gen_ai.response.id',
  'gen_ai.tool.call.id',
]);
const timeAttribute = 'event.timestamp';

/** Returns a new body; protobuf or JSON is told by the first byte. */
export function rewrite(body: Uint8Array, signal: Signal, rewriting: Rewriting): Buffer {
  const copy = Buffer.from(body);
  if (copy[0] === '{'.charCodeAt(0)) return rewriteJson(copy, rewriting);
  patchMessage(copy, 0, copy.length, exports[signal], rewriting);
  return copy;
}

/**
 * A renamer in which the same seed and id always give the same new id. Only the part after the last
 * underscore changes (`req_...`, `toolu_...`), dashes stay, and a UUID remains one.
 */
export function renamer(seed: number | string): (id: string) => string {
  const known = new Map<string, string>();
  return (id) => {
    let renamed = known.get(id);
    if (renamed === undefined) {
      renamed = renamedId(id, createHash('sha256').update(`${seed}:${id}`).digest());
      known.set(id, renamed);
    }
    return renamed;
  };
}

const hexDigits = '0123456789abcdef';
const idCharacters = '0123456789abcdefghijklmnopqrstuvwxyz';
const versionOfUuid = 14;
const variantOfUuid = 19;

function renamedId(id: string, hash: Buffer): string {
  const prefix = id.slice(0, id.lastIndexOf('_') + 1);
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
  const alphabet = /^[0-9a-f-]*$/.test(id) ? hexDigits : idCharacters;
  let renamed = prefix;
  for (let index = prefix.length; index < id.length; index += 1) {
    const character = id.charAt(index);
    const fixed =
      character === '-' || (isUuid && (index === versionOfUuid || index === variantOfUuid));
    renamed += fixed
      ? character
      : alphabet.charAt((hash[index % hash.length] ?? 0) % alphabet.length);
  }
  return renamed;
}

function rewriteJson(body: Buffer, { shiftNanos, renameId }: Rewriting): Buffer {
  const parsed: unknown = JSON.parse(body.toString('utf8'), (key, value: unknown) => {
    if (key.endsWith('imeUnixNano') && typeof value === 'string' && value !== '0') {
      return String(BigInt(value) + shiftNanos);
    }
    if (isTextAttribute(value)) {
      const text = value.value.stringValue;
      if (idAttributes.has(value.key)) value.value.stringValue = renameId(text);
      if (value.key === timeAttribute) value.value.stringValue = shiftedTime(text, shiftNanos);
    }
    return value;
  });
  return Buffer.from(JSON.stringify(parsed));
}

function isTextAttribute(value: unknown): value is { key: string; value: { stringValue: string } } {
  const attribute = value as { key?: unknown; value?: { stringValue?: unknown } | null } | null;
  return typeof attribute?.key === 'string' && typeof attribute.value?.stringValue === 'string';
}

function shiftedTime(iso: string, shiftNanos: bigint): string {
  return new Date(Date.parse(iso) + Number(shiftNanos / 1_000_000n)).toISOString();
}

/** What to look for in a message, by field number. */
interface Shape {
  readonly times?: readonly number[];
  readonly attributes?: number;
  readonly messages?: Readonly<Record<number, Shape>>;
}

const dataPoint: Shape = { times: [2, 3], attributes: 7 };
const histogramPoint: Shape = { times: [2, 3], attributes: 9 };
const points = (shape: Shape): Shape => ({ messages: { 1: shape } });
const exports: Readonly<Record<Signal, Shape>> = {
  logs: inScopes({ times: [1, 11], attributes: 6 }),
  metrics: inScopes({
    messages: {
      5: points(dataPoint),
      7: points(dataPoint),
      9: points(histogramPoint),
    },
  }),
  traces: inScopes({
    times: [7, 8],
    attributes: 9,
    messages: { 11: { times: [1], attributes: 3 } },
  }),
};

/** All three exports nest alike: resource, scope, item. */
function inScopes(item: Shape): Shape {
  return { messages: { 1: { messages: { 2: { messages: { 2: item } } } } } };
}

const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

function patchMessage(
  body: Buffer,
  start: number,
  end: number,
  shape: Shape,
  rewriting: Rewriting,
): void {
  let at = start;
  while (at < end) {
    const tag = varint(body, at);
    const field = tag.value >>> 3;
    const wireType = tag.value & 7;
    at = tag.next;
    if (wireType === FIXED64) {
      if (shape.times?.includes(field)) shiftFixed64(body, at, rewriting.shiftNanos);
      at += 8;
    } else if (wireType === LENGTH_DELIMITED) {
      const length = varint(body, at);
      at = length.next + length.value;
      const inner = shape.messages?.[field];
      if (inner) patchMessage(body, length.next, at, inner, rewriting);
      if (field === shape.attributes) patchAttribute(body, length.next, at, rewriting);
    } else {
      at = wireType === FIXED32 ? at + 4 : varint(body, at).next;
    }
  }
}

function shiftFixed64(body: Buffer, at: number, shiftNanos: bigint): void {
  const time = body.readBigUInt64LE(at);
  // Zero means that the sender did not say.
  if (time !== 0n) body.writeBigUInt64LE(time + shiftNanos, at);
}

/** A KeyValue: 1 = key, 2 = AnyValue, of which 1 = text. */
function patchAttribute(
  body: Buffer,
  start: number,
  end: number,
  { shiftNanos, renameId }: Rewriting,
): void {
  const keyLength = varint(body, start + 1);
  const keyEnd = keyLength.next + keyLength.value;
  const key = body.toString('utf8', keyLength.next, keyEnd);
  if (!idAttributes.has(key) && key !== timeAttribute) return;
  const valueStart = varint(body, keyEnd + 1).next;
  const isText = body[valueStart] === ((1 << 3) | LENGTH_DELIMITED);
  if (!isText) return;
  const textStart = varint(body, valueStart + 1).next;
  const text = body.toString('utf8', textStart, end);
  body.write(key === timeAttribute ? shiftedTime(text, shiftNanos) : renameId(text), textStart);
}

function varint(body: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  let next = at;
  for (let shift = 0; ; shift += 7) {
    const byte = body[next] ?? 0;
    next += 1;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, next };
  }
}

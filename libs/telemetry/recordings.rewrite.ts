import { createHash } from 'node:crypto';
import type { Signal } from './otlp.records.js';

/**
 * Makes a recorded body look new: times moved, ids renamed, everything else as it was. Bodies keep
 * their length, so that what is measured on a rewritten one holds for the recorded one.
 */
export interface Rewriting {
  /** Added to every time. */
  readonly shiftNanos: bigint;
  /** Gives a session, prompt, request, tool use, trace or the like another id of the same length. */
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
  // Codex CLI
  'conversation.id',
  'thread.id',
  'thread_id',
  'turn.id',
  'turn_id',
  'submission.id',
  'execution.id',
  'invocation.id',
  'call_id',
  'auth.request_id',
  // Gemini CLI
  'prompt_id',
  'gen_ai.tool.call_id',
]);
const timeAttribute = 'event.timestamp';

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** Returns a new body; protobuf or JSON is told by the first byte. */
export function rewrite(body: Uint8Array, signal: Signal, rewriting: Rewriting): Buffer {
  const renamed = new Map<string, string>();
  const renameId = (id: string) => {
    const other = rewriting.renameId(id);
    if (uuid.test(id)) renamed.set(id, other);
    return other;
  };
  const copy = Buffer.from(body);
  const isJson = copy[0] === '{'.charCodeAt(0);
  const rewritten = isJson ? rewriteJson(copy, { ...rewriting, renameId }) : copy;
  if (!isJson) patchMessage(copy, 0, copy.length, exports[signal], { ...rewriting, renameId });
  for (const [id, other] of renamed) replaceAll(rewritten, id, other);
  return rewritten;
}

/** Clients name their sessions inside other texts too: command lines, debug output. */
function replaceAll(body: Buffer, id: string, other: string): void {
  if (id === other) return;
  for (let at = body.indexOf(id); at >= 0; at = body.indexOf(id, at + id.length)) {
    body.write(other, at);
  }
}

/**
 * A renamer in which the same seed and id always give the same new id. Only the part after the last
 * underscore changes (`req_...`, `toolu_...`), dashes stay, and a UUID remains one. The time that a
 * UUID of version 7 begins with is shifted like all others.
 */
export function renamer(seed: number | string, shiftNanos = 0n): (id: string) => string {
  const known = new Map<string, string>();
  const renameOne = (id: string): string => {
    let renamed = known.get(id);
    if (renamed === undefined) {
      renamed = renamedId(id, createHash('sha256').update(`${seed}:${id}`).digest());
      if (id.charAt(versionOfUuid) === '7' && uuid.test(id)) {
        renamed = shiftedUuidTime(id, shiftNanos) + renamed.slice(timeInUuidCharacters);
      }
      known.set(id, renamed);
    }
    return renamed;
  };
  return (id) => (uuid.test(id) ? id.replace(uuid, renameOne) : renameOne(id));
}

function shiftedUuidTime(id: string, shiftNanos: bigint): string {
  const ms = BigInt(`0x${id.slice(0, timeInUuidCharacters).replace('-', '')}`);
  const hex = (ms + shiftNanos / 1_000_000n).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

const hexDigits = '0123456789abcdef';
const idCharacters = '0123456789abcdefghijklmnopqrstuvwxyz';
const timeInUuidCharacters = 'xxxxxxxx-xxxx'.length;
const versionOfUuid = 14;
const variantOfUuid = 19;

function renamedId(id: string, hash: Buffer): string {
  const prefix = id.slice(0, id.lastIndexOf('_') + 1);
  const isUuid = uuid.test(id);
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

const traceKeys = new Set(['traceId', 'spanId', 'parentSpanId']);

function rewriteJson(body: Buffer, { shiftNanos, renameId }: Rewriting): Buffer {
  const parsed: unknown = JSON.parse(body.toString('utf8'), (key, value: unknown) => {
    if (key.endsWith('imeUnixNano') && typeof value === 'string' && value !== '0') {
      return String(BigInt(value) + shiftNanos);
    }
    if (traceKeys.has(key) && typeof value === 'string' && value !== '') return renameId(value);
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
  /** Ids of traces and spans, which are bytes. */
  readonly traceIds?: readonly number[];
  readonly attributes?: number;
  readonly messages?: Readonly<Record<number, Shape>>;
}

const dataPoint: Shape = { times: [2, 3], attributes: 7 };
const histogramPoint: Shape = { times: [2, 3], attributes: 9 };
const points = (shape: Shape): Shape => ({ messages: { 1: shape } });
const exports: Readonly<Record<Signal, Shape>> = {
  logs: inScopes({ times: [1, 11], traceIds: [9, 10], attributes: 6 }),
  metrics: inScopes({
    messages: {
      5: points(dataPoint),
      7: points(dataPoint),
      9: points(histogramPoint),
    },
  }),
  traces: inScopes({
    times: [7, 8],
    traceIds: [1, 2, 4],
    attributes: 9,
    messages: {
      11: { times: [1], attributes: 3 },
      13: { traceIds: [1, 2], attributes: 4 },
    },
  }),
};

/** All three exports nest alike: resource, scope, item. */
function inScopes(item: Shape): Shape {
  const resource: Shape = { attributes: 1 };
  return { messages: { 1: { messages: { 1: resource, 2: { messages: { 2: item } } } } } };
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
      if (shape.traceIds?.includes(field)) renameBytes(body, length.next, at, rewriting.renameId);
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

function renameBytes(
  body: Buffer,
  start: number,
  end: number,
  renameId: (id: string) => string,
): void {
  if (end > start) body.write(renameId(body.toString('hex', start, end)), start, 'hex');
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

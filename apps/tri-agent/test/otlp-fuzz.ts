import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Signal } from '#libs/telemetry/otlp.records.js';

/** Sends broken exports, made of recorded ones, to a receiver and counts what it answers. */

const CONNECTIONS = 16;
const MUTATIONS_MAX = 6;
const SIGNALS: readonly Signal[] = ['logs', 'metrics', 'traces'];
const ENCODINGS = ['protobuf', 'json'] as const;
const CONTENT_TYPES = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;

/** Bytes that mean something: lengths, tags of every wire type, ends of varints, JSON's own signs. */
const TELLING_BYTES = Buffer.from([
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x12,
  0x1a, 0x22, 0x2a, 0x32, 0x3a, 0x7f, 0x80, 0xff, 0x22, 0x2c, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d,
]);
const TELLING_TEXTS = [
  'null',
  '"__proto__"',
  '"constructor"',
  '{"__proto__":{"polluted":true}}',
  '-1',
  '1e400',
  '99999999999999999999',
  '"9223372036854775808"',
  '"NaN"',
  '[[[[[[[[',
  '{"a":'.repeat(200),
  '"\\ud800"',
  '\xff\xfe',
].map((text) => Buffer.from(text, 'latin1'));

export type Random = (below: number) => number;

/** The same numbers for the same seed, so that a finding can be repeated (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export interface BrokenExport {
  readonly signal: Signal;
  readonly contentType: string;
  readonly gzip: boolean;
  readonly body: Buffer;
}

/** Reads the recorded exports once and returns what makes broken ones of them. */
export function breaker(samplesFolder: string, random: Random): () => BrokenExport {
  const samples = SIGNALS.flatMap((signal) =>
    ENCODINGS.map((encoding) => ({
      signal,
      encoding,
      bytes: readFileSync(join(samplesFolder, `${signal}-${encoding}.bin`)),
    })),
  );
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  return () => {
    const sample = pick(samples);
    let bytes: Buffer = sample.bytes;
    for (let left = 1 + random(MUTATIONS_MAX); left > 0; left -= 1) {
      bytes = mutate(bytes, pick(samples).bytes, random);
    }
    // Now and then the body is not what it says it is.
    const encoding = random(20) === 0 ? pick(ENCODINGS) : sample.encoding;
    const signal = random(20) === 0 ? pick(SIGNALS) : sample.signal;
    const gzip = random(10) === 0;
    const zipped = gzip ? gzipSync(bytes, { level: 1 }) : bytes;
    const body = gzip && random(2) === 0 ? mutate(zipped, bytes, random) : zipped;
    return { signal, contentType: CONTENT_TYPES[encoding], gzip, body };
  };
}

function mutate(bytes: Buffer, other: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1);
  const length = random(random(2) === 0 ? 8 : 400);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (random(8)) {
    case 0: // flip one bit
      return replaceByte(bytes, at, (byte) => byte ^ (1 << random(8)));
    case 1: // a telling byte
      return replaceByte(bytes, at, () => TELLING_BYTES[random(TELLING_BYTES.length)] ?? 0);
    case 2: // cut off
      return Buffer.from(before);
    case 3: // leave out
      return Buffer.concat([before, bytes.subarray(at + length)]);
    case 4: // repeat
      return Buffer.concat([before, bytes.subarray(at, at + length), after]);
    case 5: // splice another one in
      return Buffer.concat([before, other.subarray(random(other.length)), after]);
    case 6: // telling text
      return Buffer.concat([before, TELLING_TEXTS[random(TELLING_TEXTS.length)] ?? before, after]);
    default: // noise
      return Buffer.concat([before, Buffer.from(Array.from({ length }, () => random(256))), after]);
  }
}

function replaceByte(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  if (at < copy.length) copy[at] = change(copy[at] ?? 0);
  return copy;
}

export interface FuzzResult {
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Requests that got no answer at all. */
  readonly unanswered: number;
}

/** Sends so many broken exports over a few connections. */
export async function fuzz(
  port: number,
  count: number,
  next: () => BrokenExport,
  onProgress: (sent: number) => void = () => undefined,
): Promise<FuzzResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const statuses = new Map<number, number>();
  let sent = 0;
  let unanswered = 0;
  const sender = async (): Promise<void> => {
    while (sent < count) {
      sent += 1;
      onProgress(sent);
      const status = await post(port, agent, next());
      if (status === undefined) unanswered += 1;
      else statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sender));
  agent.destroy();
  return { statuses, unanswered };
}

function post(port: number, agent: Agent, broken: BrokenExport): Promise<number | undefined> {
  const { signal, contentType, gzip, body } = broken;
  return new Promise((resolve) => {
    const headers: Record<string, string | number> = {
      'content-type': contentType,
      'content-length': body.length,
    };
    if (gzip) headers['content-encoding'] = 'gzip';
    const path = `/v1/${signal}`;
    const outgoing = request({ port, agent, method: 'POST', path, headers }, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode);
      });
    });
    outgoing.on('error', () => {
      resolve(undefined);
    });
    outgoing.end(body);
  });
}

/** Whether anything was added to the prototypes that all objects share. */
export function prototypesAreClean(): boolean {
  return [Object.prototype, Array.prototype].every((one) => Object.keys(one).length === 0);
}

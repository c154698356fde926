import type { Signal } from './otlp.records.js';

/** What OTLP servers say, in both encodings. The messages are small enough to write by hand. */

export type Encoding = 'protobuf' | 'json';

export const CONTENT_TYPES: Readonly<Record<Encoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** What became of an export. `rejected` counts log records, data points or spans. */
export interface Accepted {
  readonly rejected: number;
  readonly message: string;
}

const REJECTED_FIELD: Readonly<Record<Signal, string>> = {
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
  traces: 'rejectedSpans',
};

/**
 * An Export{Logs,Metrics,Trace}ServiceResponse. Its partial_success stays unset where everything
 * was accepted, which makes the protobuf form empty.
 */
export function exportResponse(signal: Signal, encoding: Encoding, accepted: Accepted): Buffer {
  const { rejected, message } = accepted;
  if (encoding === 'json') {
    const body =
      rejected === 0
        ? {}
        : { partialSuccess: { [REJECTED_FIELD[signal]]: String(rejected), errorMessage: message } };
    return Buffer.from(JSON.stringify(body));
  }
  if (rejected === 0) return Buffer.alloc(0);
  return lengthDelimited(1, Buffer.concat([varintField(1, rejected), textField(2, message)]));
}

const INVALID_ARGUMENT = 3;

/** The code of google.rpc.Status that says what an HTTP status says. */
const RPC_CODE_OF_HTTP: Readonly<Record<number, number>> = {
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 5, // NOT_FOUND
  405: 12, // UNIMPLEMENTED
  413: 8, // RESOURCE_EXHAUSTED
  429: 8, // RESOURCE_EXHAUSTED
  503: 14, // UNAVAILABLE
};

/** A google.rpc.Status. */
export function statusMessage(encoding: Encoding, httpCode: number, message: string): Buffer {
  const code = RPC_CODE_OF_HTTP[httpCode] ?? INVALID_ARGUMENT;
  if (encoding === 'json') return Buffer.from(JSON.stringify({ code, message }));
  return Buffer.concat([varintField(1, code), textField(2, message)]);
}

function textField(field: number, text: string): Buffer {
  return lengthDelimited(field, Buffer.from(text));
}

function lengthDelimited(field: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([field * 8 + 2]), varint(content.length), content]);
}

function varintField(field: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([field * 8]), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

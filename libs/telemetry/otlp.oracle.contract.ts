import protobuf from 'protobufjs';
import type { AttributeValue, Signal } from './otlp.records.js';
import type { Bag } from './otlp.limit.decode.js';
import { emptyBag, validId } from './otlp.limit.decode.js';
import { definitions } from './otlp.messages.contract.js';

/**
 * A second reader of OTLP for the tests, built by protobufjs from the message definitions, to which
 * the hand-written decoders are compared.
 */

const root = protobuf.Root.fromJSON({ nested: definitions });

type Plain = Readonly<Record<string, unknown>>;

const REQUEST: Readonly<Record<Signal, string>> = {
  logs: 'LogsRequest',
  metrics: 'MetricsRequest',
  traces: 'TracesRequest',
};

/** Encodes a message given as plain object; 64-bit integers as decimal text, bytes as base64. */
function encode(type: string, plain: Plain): Buffer {
  const described = root.lookupType(type);
  return Buffer.from(described.encode(described.fromObject(plain)).finish());
}

export function encodeRequest(signal: Signal, plain: Plain): Buffer {
  return encode(REQUEST[signal], plain);
}

/** Decodes to a plain object; 64-bit integers as decimal text, bytes as base64. */
export function decode(type: string, bytes: Uint8Array): Plain {
  const described = root.lookupType(type);
  return described.toObject(described.decode(bytes), {
    longs: String,
    bytes: String,
    defaults: false,
  });
}

const idKeys = new Set(['traceId', 'spanId', 'parentSpanId']);

/** The same export in OTLP's JSON, in which the ids of traces and spans are hex. */
export function asJson(signal: Signal, bytes: Uint8Array): Buffer {
  const plain = decode(REQUEST[signal], bytes);
  const text = JSON.stringify(plain, (key, value: unknown) =>
    idKeys.has(key) ? Buffer.from(String(value), 'base64').toString('hex') : value,
  );
  return Buffer.from(text);
}

/** The flat records that the decoder under test should return. */
export function expectedRecords(signal: Signal, bytes: Uint8Array): Plain[] {
  const body = decode(REQUEST[signal], bytes);
  switch (signal) {
    case 'logs':
      return flatten(body, 'resourceLogs', 'scopeLogs', 'logRecords', (record, origin) => [
        {
          origin,
          timeUnixNano: nanos(record['timeUnixNano']),
          observedTimeUnixNano: nanos(record['observedTimeUnixNano']),
          eventName: record['eventName'] ?? '',
          severityText: record['severityText'] ?? '',
          body: valueOf(record['body'] as Plain | undefined),
          attributes: bagOf(record['attributes']),
          traceId: idOf(record['traceId'], 16),
          spanId: idOf(record['spanId'], 8),
        },
      ]);
    case 'metrics':
      return flatten(body, 'resourceMetrics', 'scopeMetrics', 'metrics', pointsOf);
    case 'traces':
      return flatten(body, 'resourceSpans', 'scopeSpans', 'spans', (span, origin) => [
        spanOf(span, origin),
      ]);
  }
}

function spanOf(span: Plain, origin: Plain): Plain {
  const status = (span['status'] ?? {}) as Plain;
  return {
    origin,
    name: span['name'] ?? '',
    traceId: idOf(span['traceId'], 16),
    spanId: idOf(span['spanId'], 8),
    parentSpanId: idOf(span['parentSpanId'], 8),
    startTimeUnixNano: nanos(span['startTimeUnixNano']),
    endTimeUnixNano: nanos(span['endTimeUnixNano']),
    statusCode: status['code'] ?? 0,
    statusMessage: status['message'] ?? '',
    attributes: bagOf(span['attributes']),
    events: list(span['events']).map((event) => ({
      name: event['name'] ?? '',
      timeUnixNano: nanos(event['timeUnixNano']),
      attributes: bagOf(event['attributes']),
    })),
  };
}

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

function pointsOf(metric: Plain, origin: Plain): Plain[] {
  const kind = KINDS.find((name) => metric[name] !== undefined);
  if (kind === undefined) return [];
  const data = metric[kind] as Plain;
  const temporality = data['aggregationTemporality'];
  return list(data['dataPoints']).map((point) => {
    const unset = (Number(point['flags'] ?? 0) & 1) === 1;
    const value =
      point['asDouble'] ?? (point['asInt'] === undefined ? null : Number(point['asInt']));
    return {
      origin,
      name: metric['name'] ?? '',
      unit: metric['unit'] ?? '',
      kind,
      temporality: temporality === 1 ? 'delta' : temporality === 2 ? 'cumulative' : 'unspecified',
      monotonic: data['isMonotonic'] ?? false,
      startTimeUnixNano: nanos(point['startTimeUnixNano']),
      timeUnixNano: nanos(point['timeUnixNano']),
      value: unset ? null : value,
      attributes: bagOf(point['attributes']),
    };
  });
}

function flatten(
  body: Plain,
  resources: string,
  scopes: string,
  records: string,
  read: (record: Plain, origin: Plain) => Plain[],
): Plain[] {
  return list(body[resources]).flatMap((group) => {
    const resource = bagOf((group['resource'] as Plain | undefined)?.['attributes']);
    return list(group[scopes]).flatMap((scoped) => {
      const scope = (scoped['scope'] ?? {}) as Plain;
      const origin = {
        resource,
        scopeName: scope['name'] ?? '',
        scopeVersion: scope['version'] ?? '',
      };
      return list(scoped[records]).flatMap((record) => read(record, origin));
    });
  });
}

function list(value: unknown): Plain[] {
  return (value ?? []) as Plain[];
}

function nanos(value: unknown): bigint {
  return BigInt((value ?? '0') as string);
}

function idOf(value: unknown, bytes: number): string {
  return validId(Buffer.from((value ?? '') as string, 'base64').toString('hex'), bytes);
}

function bagOf(pairs: unknown): Bag {
  const bag = emptyBag();
  for (const pair of list(pairs)) {
    bag[(pair['key'] ?? '') as string] = valueOf(pair['value'] as Plain | undefined);
  }
  return bag;
}

function valueOf(value: Plain | undefined): AttributeValue {
  if (value?.['intValue'] !== undefined) {
    const number = Number(value['intValue']);
    return Number.isSafeInteger(number) ? number : (value['intValue'] as string);
  }
  if (value?.['arrayValue'] !== undefined) {
    return list((value['arrayValue'] as Plain)['values']).map(valueOf);
  }
  if (value?.['kvlistValue'] !== undefined) return bagOf((value['kvlistValue'] as Plain)['values']);
  const plain = value?.['stringValue'] ?? value?.['boolValue'] ?? value?.['doubleValue'];
  return (plain ?? value?.['bytesValue'] ?? null) as AttributeValue;
}

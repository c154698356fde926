import type { Export, LogRecord, MetricPoint, Origin, Signal, Span } from './otlp.records.js';
import {
  malformed,
  NO_RECORDED_VALUE,
  SPAN_ID_BYTES,
  Tally,
  temporalityOf,
  TRACE_ID_BYTES,
} from './otlp.limit.decode.js';
import { scanJson } from './otlp.json.scan.decode.js';
import type { JsonObject } from './otlp.json.values.decode.js';
import {
  anyValue,
  attributes,
  bool,
  double,
  enumeration,
  id,
  int64,
  object,
  objects,
  text,
  uint32,
  uint64,
} from './otlp.json.values.decode.js';

/**
 * Reads the JSON encoding of OTLP: lowerCamelCase names only, ids in hex, enums as numbers, 64-bit
 * integers as text or number. Unknown fields are passed over. Text that is not UTF-8 is read with
 * replacement characters, as in protobuf.
 *
 * @throws {DecodeError}
 */
export function decodeJson(signal: Signal, bytes: Uint8Array): Export {
  const body = parse(bytes);
  const tally = new Tally();
  switch (signal) {
    case 'logs':
      return { signal, records: logs(body, tally) };
    case 'metrics':
      return { signal, records: metrics(body, tally) };
    case 'traces':
      return { signal, records: traces(body, tally) };
  }
}

function parse(bytes: Uint8Array): JsonObject {
  scanJson(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let body: unknown;
  try {
    body = JSON.parse(buffer.toString('utf8'));
  } catch {
    // The parser's own message would quote the body.
    throw malformed('The body is not JSON.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw malformed('The JSON body must be an object.');
  }
  return body as JsonObject;
}

/** The two outer levels, which all signals share. */
function each(
  body: JsonObject,
  names: { readonly resources: string; readonly scopes: string; readonly records: string },
  tally: Tally,
  read: (record: JsonObject, origin: Origin) => void,
): void {
  for (const group of objects(body, names.resources)) {
    tally.value();
    const resource = attributes(object(group, 'resource') ?? {}, tally);
    for (const scoped of objects(group, names.scopes)) {
      tally.value();
      const scope = object(scoped, 'scope') ?? {};
      const origin = {
        resource,
        scopeName: text(scope, 'name'),
        scopeVersion: text(scope, 'version'),
      };
      for (const record of objects(scoped, names.records)) read(record, origin);
    }
  }
}

function logs(body: JsonObject, tally: Tally): LogRecord[] {
  const records: LogRecord[] = [];
  const names = { resources: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' };
  each(body, names, tally, (record, origin) => {
    tally.record();
    enumeration(record, 'severityNumber');
    records.push({
      origin,
      timeUnixNano: uint64(record, 'timeUnixNano'),
      observedTimeUnixNano: uint64(record, 'observedTimeUnixNano'),
      eventName: text(record, 'eventName'),
      severityText: text(record, 'severityText'),
      body: anyValue(object(record, 'body'), tally, 1),
      attributes: attributes(record, tally),
      traceId: id(record, 'traceId', TRACE_ID_BYTES),
      spanId: id(record, 'spanId', SPAN_ID_BYTES),
    });
  });
  return records;
}

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;

function metrics(body: JsonObject, tally: Tally): MetricPoint[] {
  const points: MetricPoint[] = [];
  const names = { resources: 'resourceMetrics', scopes: 'scopeMetrics', records: 'metrics' };
  each(body, names, tally, (metric, origin) => {
    tally.value();
    const kind = KINDS.find((name) => object(metric, name) !== undefined);
    if (kind === undefined) return;
    const data = object(metric, kind) ?? {};
    const shared = {
      origin,
      name: text(metric, 'name'),
      unit: text(metric, 'unit'),
      kind,
      ...settingsOf(kind, data),
    };
    for (const point of objects(data, 'dataPoints')) {
      tally.record();
      points.push({
        ...shared,
        startTimeUnixNano: uint64(point, 'startTimeUnixNano'),
        timeUnixNano: uint64(point, 'timeUnixNano'),
        value: kind === 'gauge' || kind === 'sum' ? numberOf(point) : null,
        attributes: attributes(point, tally),
      });
    }
  });
  return points;
}

/** Only some kinds have these fields; in the others they are unknown ones. */
function settingsOf(
  kind: MetricPoint['kind'],
  data: JsonObject,
): Pick<MetricPoint, 'temporality' | 'monotonic'> {
  const hasTemporality = kind !== 'gauge' && kind !== 'summary';
  return {
    temporality: temporalityOf(hasTemporality ? enumeration(data, 'aggregationTemporality') : 0),
    monotonic: kind === 'sum' && bool(data, 'isMonotonic'),
  };
}

function numberOf(point: JsonObject): number | null {
  if ((uint32(point, 'flags') & NO_RECORDED_VALUE) !== 0) return null;
  if ((point['asDouble'] ?? undefined) !== undefined) return double(point, 'asDouble');
  return (point['asInt'] ?? undefined) === undefined ? null : Number(int64(point, 'asInt'));
}

function traces(body: JsonObject, tally: Tally): Span[] {
  const spans: Span[] = [];
  const names = { resources: 'resourceSpans', scopes: 'scopeSpans', records: 'spans' };
  each(body, names, tally, (span, origin) => {
    tally.record();
    enumeration(span, 'kind');
    const status = object(span, 'status') ?? {};
    spans.push({
      origin,
      name: text(span, 'name'),
      traceId: id(span, 'traceId', TRACE_ID_BYTES),
      spanId: id(span, 'spanId', SPAN_ID_BYTES),
      parentSpanId: id(span, 'parentSpanId', SPAN_ID_BYTES),
      startTimeUnixNano: uint64(span, 'startTimeUnixNano'),
      endTimeUnixNano: uint64(span, 'endTimeUnixNano'),
      statusCode: enumeration(status, 'code'),
      statusMessage: text(status, 'message'),
      attributes: attributes(span, tally),
      events: objects(span, 'events').map((event) => {
        tally.value();
        return {
          name: text(event, 'name'),
          timeUnixNano: uint64(event, 'timeUnixNano'),
          attributes: attributes(event, tally),
        };
      }),
    });
  });
  return spans;
}

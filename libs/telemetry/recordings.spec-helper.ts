import protobuf from 'protobufjs';
import type {
  Attributes,
  AttributeValue,
  Export,
  LogRecord,
  MetricPoint,
  Origin,
  Signal,
  Span,
} from './otlp.records.js';

/** Decodes recorded bodies for tests, by protobufjs reflection. */
const { root } = protobuf.parse(`
syntax = "proto3";
message AnyValue { oneof value { string stringValue = 1; bool boolValue = 2; int64 intValue = 3;
  double doubleValue = 4; ArrayValue arrayValue = 5; KeyValueList kvlistValue = 6; bytes bytesValue = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message Logs { repeated ResourceLogs resourceLogs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scopeLogs = 2; }
message ScopeLogs { Scope scope = 1; repeated LogRecord logRecords = 2; }
message LogRecord { fixed64 timeUnixNano = 1; fixed64 observedTimeUnixNano = 11; string severityText = 3;
  AnyValue body = 5; repeated KeyValue attributes = 6; bytes traceId = 9; bytes spanId = 10; string eventName = 12; }
message Metrics { repeated ResourceMetrics resourceMetrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scopeMetrics = 2; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message Metric { string name = 1; string unit = 3; oneof data { Gauge gauge = 5; Sum sum = 7; } }
message Gauge { repeated Point dataPoints = 1; }
message Sum { repeated Point dataPoints = 1; int32 aggregationTemporality = 2; bool isMonotonic = 3; }
message Point { repeated KeyValue attributes = 7; fixed64 startTimeUnixNano = 2; fixed64 timeUnixNano = 3;
  oneof value { double asDouble = 4; sfixed64 asInt = 6; } }
message Traces { repeated ResourceSpans resourceSpans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopeSpans = 2; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Span { bytes traceId = 1; bytes spanId = 2; bytes parentSpanId = 4; string name = 5;
  fixed64 startTimeUnixNano = 7; fixed64 endTimeUnixNano = 8; repeated KeyValue attributes = 9;
  repeated SpanEvent events = 11; Status status = 15; }
message SpanEvent { fixed64 timeUnixNano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Status { string message = 2; int32 code = 3; }
`);
const typeNames = { logs: 'Logs', metrics: 'Metrics', traces: 'Traces' } as const;

type Json = Readonly<Record<string, unknown>>;

export function decode(signal: Signal, bytes: Uint8Array): Export {
  const body = Buffer.from(bytes);
  const isJson = body[0] === '{'.charCodeAt(0);
  const type = root.lookupType(typeNames[signal]);
  const message = isJson
    ? (JSON.parse(body.toString('utf8')) as Json)
    : (type.toObject(type.decode(body), { longs: String, bytes: Buffer }) as Json);
  if (signal === 'logs') {
    return { signal, records: flatten(message, 'resourceLogs', 'scopeLogs', 'logRecords', logs) };
  }
  if (signal === 'metrics') {
    const nested = flatten(message, 'resourceMetrics', 'scopeMetrics', 'metrics', metricPoints);
    return { signal, records: nested.flat() };
  }
  return { signal, records: flatten(message, 'resourceSpans', 'scopeSpans', 'spans', span) };
}

function flatten<T>(
  message: Json,
  resources: string,
  scopes: string,
  items: string,
  map: (item: Json, origin: Origin) => T,
): T[] {
  return list(message[resources]).flatMap((resource) =>
    list(resource[scopes]).flatMap((scope) => {
      const { name, version } = (scope['scope'] ?? {}) as { name?: string; version?: string };
      const { attributes: resourceAttributes } = (resource['resource'] ?? {}) as Json;
      const origin = {
        resource: attributes(resourceAttributes),
        scopeName: name ?? '',
        scopeVersion: version ?? '',
      };
      return list(scope[items]).map((item) => map(item, origin));
    }),
  );
}

function logs(item: Json, origin: Origin): LogRecord {
  return {
    origin,
    timeUnixNano: nanos(item['timeUnixNano']),
    observedTimeUnixNano: nanos(item['observedTimeUnixNano']),
    eventName: text(item['eventName']),
    severityText: text(item['severityText']),
    body: anyValue(item['body']),
    attributes: attributes(item['attributes']),
    traceId: hex(item['traceId']),
    spanId: hex(item['spanId']),
  };
}

function metricPoints(item: Json, origin: Origin): MetricPoint[] {
  const kind = 'sum' in item ? 'sum' : 'gauge';
  const data = item[kind] as Json;
  const temporalities = ['unspecified', 'delta', 'cumulative'] as const;
  return list(data['dataPoints']).map((point) => ({
    origin,
    name: text(item['name']),
    unit: text(item['unit']),
    kind,
    temporality: temporalities[Number(data['aggregationTemporality'] ?? 0)] ?? 'unspecified',
    monotonic: data['isMonotonic'] === true,
    startTimeUnixNano: nanos(point['startTimeUnixNano']),
    timeUnixNano: nanos(point['timeUnixNano']),
    value: Number(point['asDouble'] ?? point['asInt']),
    attributes: attributes(point['attributes']),
  }));
}

function span(item: Json, origin: Origin): Span {
  const status = (item['status'] ?? {}) as Json;
  return {
    origin,
    name: text(item['name']),
    traceId: hex(item['traceId']),
    spanId: hex(item['spanId']),
    parentSpanId: hex(item['parentSpanId']),
    startTimeUnixNano: nanos(item['startTimeUnixNano']),
    endTimeUnixNano: nanos(item['endTimeUnixNano']),
    statusCode: Number(status['code'] ?? 0),
    statusMessage: text(status['message']),
    attributes: attributes(item['attributes']),
    events: list(item['events']).map((event) => ({
      name: text(event['name']),
      timeUnixNano: nanos(event['timeUnixNano']),
      attributes: attributes(event['attributes']),
    })),
  };
}

function attributes(pairs: unknown): Attributes {
  const map = Object.create(null) as Record<string, AttributeValue>;
  for (const pair of list(pairs)) map[text(pair['key'])] = anyValue(pair['value']);
  return map;
}

function anyValue(value: unknown): AttributeValue {
  if (value === undefined || value === null) return null;
  const entry = Object.entries(value)[0] as [string, unknown] | undefined;
  if (entry === undefined) return null;
  const [kind, content] = entry;
  if (kind === 'intValue') return Number(content);
  if (kind === 'arrayValue') return list((content as Json)['values']).map(anyValue);
  if (kind === 'kvlistValue') return attributes((content as Json)['values']);
  return content as AttributeValue;
}

function list(value: unknown): Json[] {
  return (value ?? []) as Json[];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function nanos(value: unknown): bigint {
  return BigInt((value as string | undefined) ?? '0');
}

function hex(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : text(value);
}

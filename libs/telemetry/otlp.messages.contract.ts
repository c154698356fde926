import type protobuf from 'protobufjs';

type Field = readonly [name: string, type: string, id: number, rule?: 'repeated'];

function message(...fields: Field[]): protobuf.IType {
  return {
    fields: Object.fromEntries(
      fields.map(([name, type, id, rule]) => [
        name,
        { type, id, ...(rule === undefined ? {} : { rule }) },
      ]),
    ),
  };
}

const POINT_TIMES: Field[] = [
  ['startTimeUnixNano', 'fixed64', 2],
  ['timeUnixNano', 'fixed64', 3],
];

/** The messages of OTLP as far as they matter here, in the form that protobufjs reads. */
export const definitions: Record<string, protobuf.IType> = {
  AnyValue: {
    ...message(
      ['stringValue', 'string', 1],
      ['boolValue', 'bool', 2],
      ['intValue', 'int64', 3],
      ['doubleValue', 'double', 4],
      ['arrayValue', 'ArrayValue', 5],
      ['kvlistValue', 'KeyValueList', 6],
      ['bytesValue', 'bytes', 7],
    ),
    oneofs: {
      value: {
        oneof: [
          'stringValue',
          'boolValue',
          'intValue',
          'doubleValue',
          'arrayValue',
          'kvlistValue',
          'bytesValue',
        ],
      },
    },
  },
  ArrayValue: message(['values', 'AnyValue', 1, 'repeated']),
  KeyValueList: message(['values', 'KeyValue', 1, 'repeated']),
  KeyValue: message(['key', 'string', 1], ['value', 'AnyValue', 2]),
  Resource: message(
    ['attributes', 'KeyValue', 1, 'repeated'],
    ['droppedAttributesCount', 'uint32', 2],
  ),
  Scope: message(
    ['name', 'string', 1],
    ['version', 'string', 2],
    ['attributes', 'KeyValue', 3, 'repeated'],
  ),
  LogsRequest: message(['resourceLogs', 'ResourceLogs', 1, 'repeated']),
  ResourceLogs: message(
    ['resource', 'Resource', 1],
    ['scopeLogs', 'ScopeLogs', 2, 'repeated'],
    ['schemaUrl', 'string', 3],
  ),
  ScopeLogs: message(['scope', 'Scope', 1], ['logRecords', 'LogRecord', 2, 'repeated']),
  LogRecord: message(
    ['timeUnixNano', 'fixed64', 1],
    ['severityNumber', 'int32', 2],
    ['severityText', 'string', 3],
    ['body', 'AnyValue', 5],
    ['attributes', 'KeyValue', 6, 'repeated'],
    ['droppedAttributesCount', 'uint32', 7],
    ['flags', 'fixed32', 8],
    ['traceId', 'bytes', 9],
    ['spanId', 'bytes', 10],
    ['observedTimeUnixNano', 'fixed64', 11],
    ['eventName', 'string', 12],
  ),
  MetricsRequest: message(['resourceMetrics', 'ResourceMetrics', 1, 'repeated']),
  ResourceMetrics: message(
    ['resource', 'Resource', 1],
    ['scopeMetrics', 'ScopeMetrics', 2, 'repeated'],
  ),
  ScopeMetrics: message(['scope', 'Scope', 1], ['metrics', 'Metric', 2, 'repeated']),
  Metric: message(
    ['name', 'string', 1],
    ['description', 'string', 2],
    ['unit', 'string', 3],
    ['gauge', 'Gauge', 5],
    ['sum', 'Sum', 7],
    ['histogram', 'Histogram', 9],
    ['exponentialHistogram', 'ExponentialHistogram', 10],
    ['summary', 'Summary', 11],
  ),
  Gauge: message(['dataPoints', 'NumberDataPoint', 1, 'repeated']),
  Sum: message(
    ['dataPoints', 'NumberDataPoint', 1, 'repeated'],
    ['aggregationTemporality', 'int32', 2],
    ['isMonotonic', 'bool', 3],
  ),
  Histogram: message(
    ['dataPoints', 'HistogramDataPoint', 1, 'repeated'],
    ['aggregationTemporality', 'int32', 2],
  ),
  ExponentialHistogram: message(
    ['dataPoints', 'ExponentialHistogramDataPoint', 1, 'repeated'],
    ['aggregationTemporality', 'int32', 2],
  ),
  Summary: message(['dataPoints', 'SummaryDataPoint', 1, 'repeated']),
  NumberDataPoint: {
    ...message(
      ...POINT_TIMES,
      ['asDouble', 'double', 4],
      ['asInt', 'sfixed64', 6],
      ['attributes', 'KeyValue', 7, 'repeated'],
      ['flags', 'uint32', 8],
    ),
    oneofs: { number: { oneof: ['asDouble', 'asInt'] } },
  },
  HistogramDataPoint: message(
    ...POINT_TIMES,
    ['count', 'fixed64', 4],
    ['sum', 'double', 5],
    ['bucketCounts', 'fixed64', 6, 'repeated'],
    ['explicitBounds', 'double', 7, 'repeated'],
    ['attributes', 'KeyValue', 9, 'repeated'],
    ['flags', 'uint32', 10],
  ),
  ExponentialHistogramDataPoint: message(
    ...POINT_TIMES,
    ['attributes', 'KeyValue', 1, 'repeated'],
    ['count', 'fixed64', 4],
    ['scale', 'sint32', 6],
    ['flags', 'uint32', 10],
  ),
  SummaryDataPoint: message(
    ...POINT_TIMES,
    ['count', 'fixed64', 4],
    ['sum', 'double', 5],
    ['attributes', 'KeyValue', 7, 'repeated'],
    ['flags', 'uint32', 8],
  ),
  TracesRequest: message(['resourceSpans', 'ResourceSpans', 1, 'repeated']),
  ResourceSpans: message(['resource', 'Resource', 1], ['scopeSpans', 'ScopeSpans', 2, 'repeated']),
  ScopeSpans: message(['scope', 'Scope', 1], ['spans', 'Span', 2, 'repeated']),
  Span: message(
    ['traceId', 'bytes', 1],
    ['spanId', 'bytes', 2],
    ['traceState', 'string', 3],
    ['parentSpanId', 'bytes', 4],
    ['name', 'string', 5],
    ['kind', 'int32', 6],
    ['startTimeUnixNano', 'fixed64', 7],
    ['endTimeUnixNano', 'fixed64', 8],
    ['attributes', 'KeyValue', 9, 'repeated'],
    ['events', 'SpanEvent', 11, 'repeated'],
    ['status', 'SpanStatus', 15],
  ),
  SpanEvent: message(
    ['timeUnixNano', 'fixed64', 1],
    ['name', 'string', 2],
    ['attributes', 'KeyValue', 3, 'repeated'],
  ),
  SpanStatus: message(['message', 'string', 2], ['code', 'int32', 3]),
  PartialSuccess: message(['rejected', 'int64', 1], ['errorMessage', 'string', 2]),
  ExportResponse: message(['partialSuccess', 'PartialSuccess', 1]),
  Status: message(['code', 'int32', 1], ['message', 'string', 2]),
};

import fc from 'fast-check';
import type { Signal } from './otlp.records.js';

/** Any export at all, as the plain object that protobufjs encodes and that OTLP/JSON nearly is. */

export const signals: readonly Signal[] = ['logs', 'metrics', 'traces'];

type Plain = Readonly<Record<string, unknown>>;

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'session.id', '0', ''));
const nanos = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const smallInt = fc.integer().map(String);
const bytes = (length: number): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((array) => Buffer.from(array).toString('base64'));

/** JSON has no negative zero, and nobody measures one. */
const double = fc.double({ noNaN: true }).map((number) => (Object.is(number, -0) ? 0 : number));

const { value } = fc.letrec<{ value: Plain; pair: Plain }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ stringValue: text }),
    fc.record({ intValue: fc.oneof(int64, smallInt) }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ doubleValue: double }),
    fc.record({ bytesValue: bytes(5) }),
    fc.constant({}),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 4 }) }) }),
    fc.record({ kvlistValue: fc.record({ values: fc.array(tie('pair'), { maxLength: 4 }) }) }),
  ),
  pair: fc.record({ key, value: tie('value') }),
}));
const attributes = fc.array(fc.record({ key, value }), { maxLength: 6 });

const logRecord = partly({
  timeUnixNano: nanos,
  observedTimeUnixNano: nanos,
  severityNumber: fc.integer({ min: 0, max: 24 }),
  severityText: text,
  eventName: text,
  body: value,
  attributes,
  traceId: bytes(16),
  spanId: bytes(8),
});

const span = partly({
  traceId: bytes(16),
  spanId: bytes(8),
  parentSpanId: bytes(8),
  name: text,
  kind: fc.integer({ min: 0, max: 5 }),
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes,
  events: fc.array(partly({ timeUnixNano: nanos, name: text, attributes }), { maxLength: 3 }),
  status: partly({ message: text, code: fc.integer({ min: 0, max: 2 }) }),
});

const pointTimes = {
  startTimeUnixNano: nanos,
  timeUnixNano: nanos,
  attributes,
  flags: fc.integer({ min: 0, max: 1 }),
};
const numberPoint = fc.oneof(
  partly({ ...pointTimes, asDouble: double }),
  partly({ ...pointTimes, asInt: int64 }),
);
const otherPoint = partly({ ...pointTimes, count: nanos });
const temporality = fc.integer({ min: 0, max: 2 });

const metric = fc
  .tuple(
    partly({ name: text, unit: text, description: text }),
    fc.oneof(
      fc.record({ gauge: points(numberPoint) }),
      fc.record({ sum: points(numberPoint, { isMonotonic: fc.boolean() }) }),
      fc.record({ histogram: points(otherPoint) }),
      fc.record({ exponentialHistogram: points(otherPoint) }),
      fc.record({ summary: points(otherPoint) }),
      fc.constant({}),
    ),
  )
  .map(([about, data]) => ({ ...about, ...data }));

function points(
  point: fc.Arbitrary<Plain>,
  more: Record<string, fc.Arbitrary<unknown>> = {},
): fc.Arbitrary<Plain> {
  return partly({
    dataPoints: fc.array(point, { maxLength: 4 }),
    aggregationTemporality: temporality,
    ...more,
  });
}

/** Every field may be left out. */
function partly(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Plain> {
  return fc.record(fields, { requiredKeys: [] });
}

const SHAPES = {
  logs: {
    resources: 'resourceLogs',
    scopes: 'scopeLogs',
    records: 'logRecords',
    record: logRecord,
  },
  metrics: {
    resources: 'resourceMetrics',
    scopes: 'scopeMetrics',
    records: 'metrics',
    record: metric,
  },
  traces: { resources: 'resourceSpans', scopes: 'scopeSpans', records: 'spans', record: span },
} as const;

export function exportMessages(signal: Signal): fc.Arbitrary<Plain> {
  const { resources, scopes, records, record } = SHAPES[signal];
  const scoped = partly({
    scope: partly({ name: text, version: text, attributes }),
    [records]: fc.array(record as fc.Arbitrary<Plain>, { maxLength: 4 }),
  });
  const group = partly({
    resource: partly({ attributes }),
    [scopes]: fc.array(scoped, { maxLength: 3 }),
  });
  return partly({ [resources]: fc.array(group, { maxLength: 3 }) });
}

const IDS = new Set(['traceId', 'spanId', 'parentSpanId']);

/** The same export as OTLP/JSON writes it: ids in hex, infinities as text. */
export function toOtlpJson(message: unknown, name = ''): unknown {
  if (Array.isArray(message)) return message.map((item) => toOtlpJson(item, name));
  if (typeof message === 'number' && !Number.isFinite(message)) return String(message);
  if (IDS.has(name))
    return Buffer.from(message as string, 'base64')
      .toString('hex')
      .toUpperCase();
  if (typeof message !== 'object' || message === null) return message;
  return Object.fromEntries(
    Object.entries(message).map(([key, member]) => [key, toOtlpJson(member, key)]),
  );
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import { exportMessages, signals, toOtlpJson } from './otlp.arbitrary.contract.js';
import { decodeJson } from './otlp.json.decode.js';
import { jsonLevelsMax } from './otlp.json.scan.decode.js';
import { DecodeError } from './otlp.limit.decode.js';
import { encodeRequest, expectedRecords } from './otlp.oracle.contract.js';
import type { AttributeValue, LogRecord, MetricPoint, Signal, Span } from './otlp.records.js';

const samples = join(import.meta.dirname, 'otlp-samples');

function json(body: unknown): Buffer {
  return Buffer.from(JSON.stringify(body));
}

function log(record: object): LogRecord {
  const body = json({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
  return decodeJson('logs', body).records[0] as LogRecord;
}

function valueOf(value: object): AttributeValue {
  return log({ body: value }).body;
}

function span(record: object): Span {
  const body = json({ resourceSpans: [{ scopeSpans: [{ spans: [record] }] }] });
  return decodeJson('traces', body).records[0] as Span;
}

function metric(record: object): MetricPoint {
  const body = json({ resourceMetrics: [{ scopeMetrics: [{ metrics: [record] }] }] });
  return decodeJson('metrics', body).records[0] as MetricPoint;
}

function reasonOf(bytes: Uint8Array, signal: Signal = 'logs'): string {
  try {
    decodeJson(signal, bytes);
  } catch (error) {
    if (error instanceof DecodeError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('The JSON decoder', () => {
  test.each(signals)('reads recorded %s as protobufjs reads the same in protobuf', (signal) => {
    const bytes = readFileSync(join(samples, `${signal}-json.bin`));
    const { records } = decodeJson(signal, bytes);
    expect(records.length).toBeGreaterThan(1);
    const message = JSON.parse(bytes.toString(), (key: string, value: unknown) =>
      ['traceId', 'spanId', 'parentSpanId'].includes(key)
        ? Buffer.from(value as string, 'hex').toString('base64')
        : value,
    ) as Record<string, unknown>;
    expect(records).toEqual(expectedRecords(signal, encodeRequest(signal, message)));
  });

  test.each(signals)('reads any %s as protobufjs reads the same in protobuf', (signal) => {
    fc.assert(
      fc.property(exportMessages(signal), (message) => {
        const expected = expectedRecords(signal, encodeRequest(signal, message));
        expect(decodeJson(signal, json(toOtlpJson(message))).records).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('takes 64-bit integers as text and as numbers', () => {
    expect(valueOf({ intValue: '42' })).toBe(42);
    expect(valueOf({ intValue: 42 })).toBe(42);
    expect(valueOf({ intValue: '-9223372036854775808' })).toBe('-9223372036854775808');
    expect(log({ timeUnixNano: '1795195184463000001' }).timeUnixNano).toBe(1795195184463000001n);
    expect(log({ timeUnixNano: 17 }).timeUnixNano).toBe(17n);
    const sum = { dataPoints: [{ asInt: '100' }] };
    expect(metric({ name: 'tokens', sum }).value).toBe(100);
  });

  test('takes ids in hex of either case', () => {
    const traceId = '5B8EFFF798038103D269B633813FC60C';
    expect(log({ traceId }).traceId).toBe(traceId.toLowerCase());
  });

  test('takes null for a field that is left out', () => {
    expect(log({ body: null, attributes: null, eventName: null, traceId: null })).toMatchObject({
      body: null,
      eventName: '',
      traceId: '',
    });
    expect(decodeJson('logs', json({ resourceLogs: null })).records).toEqual([]);
    expect(valueOf({ stringValue: null, intValue: '1' })).toBe(1);
  });

  test('takes the words that stand for numbers which JSON cannot write', () => {
    expect(valueOf({ doubleValue: 'NaN' })).toBeNaN();
    expect(valueOf({ doubleValue: '-Infinity' })).toBe(-Infinity);
    expect(valueOf({ doubleValue: '1.5' })).toBe(1.5);
  });

  test('takes base64 of both alphabets and hands on the standard one', () => {
    expect(valueOf({ bytesValue: '-_8=' })).toBe('+/8=');
  });

  test('passes over unknown fields, and over names that are not lowerCamelCase', () => {
    expect(log({ event_name: 'no', eventName: 'yes', later: { deep: [1] } }).eventName).toBe('yes');
  });

  test('knows a point without a value from one that is zero', () => {
    const gauge = (point: object): MetricPoint => metric({ gauge: { dataPoints: [point] } });
    expect(gauge({ asDouble: 0 }).value).toBe(0);
    expect(gauge({}).value).toBeNull();
    expect(gauge({ asDouble: 3, flags: 1 }).value).toBeNull();
  });

  test.each([
    ['text where an object belongs', { resourceLogs: ['x'] }, /"resourceLogs" must be a list of/],
    ['an object where a list belongs', { resourceLogs: {} }, /"resourceLogs" must be a list of/],
    ['a list at the top', [], /must be an object/],
    ['null at the top', null, /must be an object/],
    ['a number at the top', 7, /must be an object/],
  ])('refuses %s', (_what, body, reason) => {
    expect(reasonOf(json(body))).toMatch(reason);
  });

  test.each([
    ['a name of an enum value', { severityNumber: 'SEVERITY_NUMBER_INFO' }, /not its name/],
    ['a fraction as integer', { body: { intValue: 1.5 } }, /signed 64-bit integer/],
    ['an integer beyond 64 bits', { body: { intValue: '9223372036854775808' } }, /signed 64-bit/],
    ['a negative time', { timeUnixNano: '-1' }, /unsigned 64-bit integer/],
    ['an id that is not hex', { traceId: 'xyz' }, /"traceId" must be hexadecimal/],
    ['bytes that are not base64', { body: { bytesValue: '***' } }, /must be base64/],
    ['a number as text', { eventName: 5 }, /"eventName" must be text/],
    ['text as truth', { body: { boolValue: 'true' } }, /must be true or false/],
    ['a word as number', { body: { doubleValue: 'many' } }, /must be a number/],
    ['null in a list', { attributes: [null] }, /list of objects/],
  ])('refuses %s in a record', (_what, record, reason) => {
    expect(() => log(record)).toThrow(reason);
  });

  test('refuses the names of span kinds, of status codes and of temporalities', () => {
    expect(() => span({ kind: 'SPAN_KIND_CLIENT' })).toThrow(/"kind" must be the number/);
    expect(() => span({ status: { code: 'STATUS_CODE_OK' } })).toThrow(/"code" must be the number/);
    const sum = { aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA' };
    expect(() => metric({ sum })).toThrow(/"aggregationTemporality" must be the number/);
  });

  test('refuses what is not JSON without quoting it', () => {
    expect(reasonOf(Buffer.from('{"secret": sk-ant-1}'))).toBe('malformed: The body is not JSON.');
    expect(reasonOf(Buffer.from('{"resourceLogs":['))).toBe('malformed: The body is not JSON.');
    expect(reasonOf(Buffer.alloc(0))).toBe('malformed: The body is not JSON.');
  });

  test('refuses depth before it is parsed', () => {
    const nested = (levels: number): Buffer =>
      Buffer.from(`{"x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`);
    expect(reasonOf(nested(jsonLevelsMax))).toBe('accepted');
    expect(reasonOf(nested(jsonLevelsMax + 1))).toMatch(/nested more than 144 levels/);
    expect(reasonOf(nested(1_000_000))).toMatch(/nested more than 144 levels/);
    expect(reasonOf(Buffer.alloc(limits.bodyBytesMax, '['))).toMatch(/nested more than/);
  });

  test('does not count brackets that stand in text', () => {
    expect(
      log({ eventName: `${'['.repeat(1_000)}\\"${'{'.repeat(1_000)}` }).eventName,
    ).toHaveLength(2_002);
  });

  test('refuses more values than one export may hold before they are parsed', () => {
    const many = Buffer.from(`{"x":[${'1,'.repeat(limits.jsonTokensPerExportMax)}1]}`);
    expect(reasonOf(many)).toMatch(/^too-large: The JSON body holds more than/);
  });

  test('refuses values that nest too deep', () => {
    const nested = (levels: number): object =>
      levels === 1 ? { intValue: 1 } : { arrayValue: { values: [nested(levels - 1)] } };
    expect(valueOf(nested(limits.nestingLevelsMax))).toBeDefined();
    expect(() => valueOf(nested(limits.nestingLevelsMax + 1))).toThrow(/more than 32 levels/);
  });

  test('refuses more records than one export may hold', () => {
    const logRecords = Array.from({ length: limits.recordsPerExportMax + 1 }, () => ({}));
    const body = json({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
    expect(reasonOf(body)).toMatch(/^too-large: The export holds more than 50000 records/);
  });

  test('keeps a key such as __proto__ a key like any other', () => {
    const body = Buffer.from(
      '{"__proto__":{"resourceLogs":[{}]},"resourceLogs":[{"scopeLogs":[{"logRecords":[' +
        '{"attributes":[{"key":"__proto__","value":{"stringValue":"x"}}]}]}]}]}',
    );
    const { records } = decodeJson('logs', body);
    expect(records).toHaveLength(1);
    expect(Object.keys(records[0]?.attributes ?? {})).toEqual(['__proto__']);
    expect(Object.hasOwn(Object.prototype, 'resourceLogs')).toBe(false);
  });
});

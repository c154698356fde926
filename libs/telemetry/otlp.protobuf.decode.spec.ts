import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import { DecodeError } from './otlp.limit.decode.js';
import { exportMessages, signals } from './otlp.arbitrary.contract.js';
import { encodeRequest, expectedRecords } from './otlp.oracle.contract.js';
import { decodeProtobuf } from './otlp.protobuf.decode.js';

const samples = join(import.meta.dirname, 'otlp-samples');

function logsWith(fields: Buffer): Buffer {
  const record = Buffer.concat([Buffer.from([0x12, fields.length]), fields]);
  const scope = Buffer.concat([Buffer.from([0x12, record.length]), record]);
  return Buffer.concat([Buffer.from([0x0a, scope.length]), scope]);
}

/** A log record whose body is nested so deep. */
function nestedLogs(levels: number): Buffer {
  let body: object = { stringValue: 'bottom' };
  for (let level = 1; level < levels; level += 1) body = { arrayValue: { values: [body] } };
  return encodeRequest('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body }] }] }] });
}

function reasonOf(bytes: Buffer): string {
  try {
    decodeProtobuf('logs', bytes);
  } catch (error) {
    if (error instanceof DecodeError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('The protobuf decoder', () => {
  test.each(signals)('reads recorded %s as protobufjs does', (signal) => {
    const bytes = readFileSync(join(samples, `${signal}-protobuf.bin`));
    const { records } = decodeProtobuf(signal, bytes);
    expect(records.length).toBeGreaterThan(1);
    expect(records).toEqual(expectedRecords(signal, bytes));
  });

  test.each(signals)('reads any %s as protobufjs does', (signal) => {
    fc.assert(
      fc.property(exportMessages(signal), (message) => {
        const bytes = encodeRequest(signal, message);
        expect(decodeProtobuf(signal, bytes).records).toEqual(expectedRecords(signal, bytes));
      }),
      { numRuns: 300 },
    );
  });

  test('reads an empty body as no records', () => {
    expect(decodeProtobuf('traces', Buffer.alloc(0))).toEqual({ signal: 'traces', records: [] });
  });

  test('takes the resource and the scope also where they stand after the records', () => {
    const inOrder = encodeRequest('logs', {
      resourceLogs: [
        { resource: { attributes: [{ key: 'a', value: { intValue: '1' } }] }, scopeLogs: [] },
      ],
    });
    const resource = inOrder.subarray(2);
    const scopeLogs = Buffer.from([0x12, 2 + 5, 0x12, 0, 0x0a, 3, 0x0a, 1, 0x73]);
    const bytes = Buffer.concat([
      Buffer.from([0x0a, resource.length + scopeLogs.length]),
      scopeLogs,
      resource,
    ]);
    const [record] = decodeProtobuf('logs', bytes).records;
    expect(record?.origin.resource['a']).toBe(1);
    expect(record?.origin.scopeName).toBe('s');
  });

  test('passes over unknown fields of every wire type', () => {
    const unknown = [
      [0xa0, 0x06, 0x96, 0x01], // field 100, varint
      [0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8], // fixed64
      [0xa2, 0x06, 2, 0xff, 0xff], // length-delimited
      [0xa3, 0x06, 0x08, 0x01, 0xa3, 0x06, 0xa4, 0x06, 0xa4, 0x06], // group in a group
      [0xa5, 0x06, 1, 2, 3, 4], // fixed32
    ].flat();
    const name = [0x62, 2, 0x68, 0x69]; // event_name "hi"
    const [record] = decodeProtobuf('logs', logsWith(Buffer.from([...unknown, ...name]))).records;
    expect(record).toMatchObject({ eventName: 'hi' });
  });

  test('passes over a known field that has another wire type', () => {
    const [record] = decodeProtobuf('logs', logsWith(Buffer.from([0x60, 0x05]))).records;
    expect(record).toMatchObject({ eventName: '' });
  });

  test.each([
    ['a field with the number 0', [0x00, 0x01], /field with the number 0/],
    ['wire type 6', [0x0e, 0x01], /wire type 6/],
    ['wire type 7', [0x0f, 0x01], /wire type 7/],
    ['the end of a group that never began', [0xa4, 0x06], /ends a group that it did not begin/],
    ['the end of another group', [0xa3, 0x06, 0xac, 0x06], /ends another group/],
    ['a group that never ends', [0xa3, 0x06, 0x08, 0x01], /ends in the middle/],
    ['a truncated varint', [0x10, 0x80], /ends in the middle/],
    ['a varint of 11 bytes', [0x10, ...Array<number>(10).fill(0xff), 0x01], /more than 10 bytes/],
    ['a tag of 11 bytes', [...Array<number>(10).fill(0x80), 0x01], /more than 10 bytes/],
    ['a length beyond 32 bits', [0x62, 0x81, 0x80, 0x80, 0x80, 0x10, 0x61], /beyond 32 bits/],
    ['a length beyond the message', [0x62, 0x05, 0x61], /longer than what holds it/],
    ['a truncated fixed64', [0x09, 1, 2, 3], /ends in the middle/],
    ['a truncated fixed32', [0x45, 1, 2], /ends in the middle/],
  ])('refuses %s', (_what, fields, reason) => {
    expect(reasonOf(logsWith(Buffer.from(fields)))).toMatch(reason);
    expect(reasonOf(Buffer.from(fields))).toMatch(/^malformed: The protobuf body /);
  });

  test('refuses every truncation of a real body', () => {
    const bytes = readFileSync(join(samples, 'logs-protobuf.bin'));
    for (let length = 1; length < bytes.length; length += 1) {
      expect(reasonOf(bytes.subarray(0, length))).toMatch(/^malformed: /);
    }
  });

  test('reads a body that lies inside a larger buffer', () => {
    const bytes = readFileSync(join(samples, 'logs-protobuf.bin'));
    const larger = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
    const inside = new Uint8Array(larger.buffer, larger.byteOffset + 6, bytes.length);
    expect(decodeProtobuf('logs', inside)).toEqual(decodeProtobuf('logs', bytes));
  });

  test('refuses values and groups that nest too deep', () => {
    const deep = limits.nestingLevelsMax;
    expect(reasonOf(nestedLogs(deep))).toBe('accepted');
    expect(reasonOf(nestedLogs(deep + 1))).toMatch(/nested more than 32 levels/);
    const groups = Buffer.alloc(200_000, Buffer.from([0xa3, 0x06]));
    expect(reasonOf(groups)).toMatch(/Groups are nested more than 32 levels/);
  });

  test('refuses more records than one export may hold', () => {
    const logRecords = Array.from({ length: limits.recordsPerExportMax + 1 }, () => ({}));
    const bytes = encodeRequest('logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
    expect(reasonOf(bytes)).toMatch(/^too-large: The export holds more than 50000 records/);
  });

  test('refuses more attributes, list items or empty groups than one export may hold', () => {
    const body = Buffer.alloc(2 * (limits.attributesPerExportMax + 1), Buffer.from([0x0a, 0x00]));
    const reason = `too-large: The export holds more than ${limits.attributesPerExportMax} attributes`;
    expect(reasonOf(body)).toContain(reason);
  });

  test('reads text that is not UTF-8 with replacement characters', () => {
    const [record] = decodeProtobuf('logs', logsWith(Buffer.from([0x62, 2, 0x61, 0xff]))).records;
    expect(record).toMatchObject({ eventName: 'a\uFFFD' });
  });

  test('keeps a key such as __proto__ a key like any other', () => {
    const attributes = [
      { key: '__proto__', value: { kvlistValue: { values: [{ key: 'x', value: {} }] } } },
      { key: 'constructor', value: { stringValue: 'c' } },
    ];
    const bytes = encodeRequest('logs', {
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }] }] }],
    });
    const found = decodeProtobuf('logs', bytes).records[0]?.attributes ?? {};
    expect(Object.keys(found)).toEqual(['__proto__', 'constructor']);
    expect('toString' in found).toBe(false);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  test('takes ids of a wrong length or of zeros for unset', () => {
    const ids = [0x4a, 2, 0xab, 0xcd, 0x52, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    const [record] = decodeProtobuf('logs', logsWith(Buffer.from(ids))).records;
    expect(record).toMatchObject({ traceId: '', spanId: '' });
  });
});

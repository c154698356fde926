import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { limits } from '#kernel/limits.js';
import type { Call } from './otlp.client.contract.js';
import {
  call,
  JSON_TYPE,
  logsMessage,
  message,
  PROTOBUF,
  statusOf,
} from './otlp.client.contract.js';
import { decode, encodeRequest } from './otlp.oracle.contract.js';
import type { TestReceiver } from './otlp.receiver.contract.js';
import { startReceiver } from './otlp.receiver.contract.js';
import type { Signal } from './otlp.records.js';

const samples = join(import.meta.dirname, 'otlp-samples');

let receiver: TestReceiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

const WRONG: Readonly<Record<Signal, Record<string, unknown>>> = {
  logs: logsMessage('wrong', 'prompt'),
  metrics: message('resourceMetrics', 'scopeMetrics', {
    metrics: [{ name: 'wrong', sum: { dataPoints: [{}] } }],
  }),
  traces: message('resourceSpans', 'scopeSpans', { spans: [{ name: 'wrong' }] }),
};
const REJECTED: Readonly<Record<Signal, string>> = {
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
  traces: 'rejectedSpans',
};
const signals: Signal[] = ['logs', 'metrics', 'traces'];

const protobufLogs = encodeRequest('logs', logsMessage('prompt'));
const jsonLogs = Buffer.from(JSON.stringify(logsMessage('prompt')));
const tooLarge = Buffer.alloc(limits.bodyBytesMax + 1, 0x20);
const bodyOf: Readonly<Record<string, Buffer>> = {
  [PROTOBUF]: protobufLogs,
  [JSON_TYPE]: jsonLogs,
};
const gzipped = { 'content-encoding': 'gzip' };

function withWrongChecksum(gzip: Buffer): Buffer {
  return gzip.fill(0, gzip.length - 8);
}

describe.each([PROTOBUF, JSON_TYPE])('OTLP/HTTP in %s', (contentType) => {
  const headers = { 'content-type': contentType };
  const good = bodyOf[contentType]!;
  const empty = contentType === JSON_TYPE ? '{}' : '';
  const sample = (signal: Signal): Buffer =>
    readFileSync(join(samples, `${signal}-${contentType === JSON_TYPE ? 'json' : 'protobuf'}.bin`));

  test.each(signals)('accepts recorded %s with the same Content-Type', async (signal) => {
    const answer = await call(receiver.url, {
      path: `/v1/${signal}`,
      headers,
      body: sample(signal),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(contentType);
    expect(answer.body.toString()).toBe(empty);
  });

  test.each(signals)('tells of rejected %s in a partial success', async (signal) => {
    const plain = WRONG[signal];
    const body =
      contentType === JSON_TYPE ? Buffer.from(JSON.stringify(plain)) : encodeRequest(signal, plain);
    const answer = await call(receiver.url, { path: `/v1/${signal}`, headers, body });
    expect(answer.status).toBe(200);
    const errorMessage = 'A record named "wrong" is wrong.';
    if (contentType === JSON_TYPE) {
      const partialSuccess = { [REJECTED[signal]]: '1', errorMessage };
      expect(JSON.parse(answer.body.toString())).toEqual({ partialSuccess });
    } else {
      const partialSuccess = { rejected: '1', errorMessage };
      expect(decode('ExportResponse', answer.body)).toEqual({ partialSuccess });
    }
  });

  const accepted: [string, Call][] = [
    ['an empty body', { headers, body: '' }],
    ['no body at all', { headers }],
    ['an empty gzip body', { headers: { ...headers, ...gzipped }, body: gzipSync('') }],
    ['a body in chunks', { headers, body: sample('logs'), chunked: true }],
    ['a gzip body', { headers: { ...headers, ...gzipped }, body: gzipSync(good) }],
    [
      'a gzip body in chunks',
      { headers: { ...headers, ...gzipped }, body: gzipSync(sample('logs')), chunked: true },
    ],
    [
      'a gzip body of two members',
      {
        headers: { ...headers, ...gzipped },
        body: Buffer.concat([gzipSync(good.subarray(0, 9)), gzipSync(good.subarray(9))]),
      },
    ],
    [
      'the encoding identity',
      { headers: { ...headers, 'content-encoding': 'identity' }, body: good },
    ],
    [
      'a Content-Type with parameters',
      {
        headers: { 'content-type': `${contentType}; charset=utf-8` },
        body: good,
      },
    ],
    [
      'a Content-Type in capitals',
      { headers: { 'content-type': contentType.toUpperCase() }, body: good },
    ],
    ['a query string', { path: '/v1/logs?tenant=1', headers, body: good }],
  ];
  test.each(accepted)('accepts %s', async (_what, request) => {
    const answer = await call(receiver.url, request);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(contentType);
    expect(answer.body.toString()).toBe(empty);
  });

  const refused: [string, number, number, RegExp, Call][] = [
    ['bytes that are no export', 400, 3, /protobuf body|not JSON/, { headers, body: '\x0f\xff{' }],
    ['a truncated body', 400, 3, /./, { headers, body: good.subarray(0, -1) }],
    [
      'another encoding',
      400,
      3,
      /gzip or identity/,
      {
        headers: { ...headers, 'content-encoding': 'deflate' },
        body: deflateSync(good),
      },
    ],
    [
      'two encodings at once',
      400,
      3,
      /gzip or identity/,
      {
        headers: { ...headers, 'content-encoding': 'gzip, gzip' },
        body: gzipSync(gzipSync(good)),
      },
    ],
    [
      'plain bytes that claim to be gzip',
      400,
      3,
      /not gzip/,
      {
        headers: { ...headers, ...gzipped },
        body: good,
      },
    ],
    [
      'truncated gzip',
      400,
      3,
      /not gzip/,
      {
        headers: { ...headers, ...gzipped },
        body: gzipSync(good).subarray(0, -9),
      },
    ],
    [
      'gzip with a wrong checksum',
      400,
      3,
      /not gzip/,
      {
        headers: { ...headers, ...gzipped },
        body: withWrongChecksum(gzipSync(good)),
      },
    ],
    [
      'a declared body that is too large',
      413,
      8,
      /larger than 20971520 bytes/,
      {
        headers,
        body: tooLarge,
      },
    ],
    [
      'a chunked body that grows too large',
      413,
      8,
      /larger than 20971520 bytes/,
      {
        headers,
        body: tooLarge,
        chunked: true,
      },
    ],
    [
      'a body that is too large once decompressed',
      413,
      8,
      /larger than 20971520 bytes/,
      {
        headers: { ...headers, ...gzipped },
        body: gzipSync(tooLarge),
      },
    ],
    [
      'more empty gzip members than a body may have bytes',
      413,
      8,
      /larger than 20971520 bytes/,
      {
        headers: { ...headers, ...gzipped },
        body: Buffer.alloc(tooLarge.length, gzipSync('')),
        chunked: true,
      },
    ],
    [
      'another path',
      404,
      5,
      /\/v1\/logs, \/v1\/metrics and \/v1\/traces/,
      {
        path: '/v1/profiles',
        headers,
        body: good,
      },
    ],
    ['a path that cannot be read', 400, 3, /./, { path: '/v1/%zz', headers, body: good }],
    ...['PUT', 'DELETE', 'PATCH'].map((method): [string, number, number, RegExp, Call] => [
      `the method ${method}`,
      405,
      12,
      /must be POST/,
      { method, headers, body: good },
    ]),
    ['the method GET', 405, 12, /must be POST/, { method: 'GET', headers }],
  ];
  test.each(refused)(
    'refuses %s with %i and a Status',
    async (_what, status, code, reason, request) => {
      const answer = await call(receiver.url, request);
      expect(answer.status).toBe(status);
      const body = statusOf(answer);
      expect(body.code).toBe(code);
      expect(body.message).toMatch(reason);
      if (status === 405) expect(answer.headers['allow']).toBe('POST');
      expect(answer.headers['content-type']).toBe(contentType);
    },
  );

  test('answers 503 with Retry-After while the log cannot write, and takes the same batch later', async () => {
    const before = receiver.log.events.length;
    const named = logsMessage('prompt', 'prompt', `later-${contentType}`);
    const body = contentType === JSON_TYPE ? JSON.stringify(named) : encodeRequest('logs', named);
    receiver.log.unavailable = true;
    const answer = await call(receiver.url, { headers, body });
    receiver.log.unavailable = false;
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(statusOf(answer)).toMatchObject({ code: 14 });
    expect(receiver.log.events).toHaveLength(before);
    const again = await call(receiver.url, { headers, body });
    expect(again.status).toBe(200);
    const stored = receiver.log.events.length;
    expect(stored).toBeGreaterThan(before);
    const repeated = await call(receiver.url, { headers, body });
    expect(repeated.status).toBe(200);
    expect(repeated.body.equals(again.body)).toBe(true);
    expect(receiver.log.events).toHaveLength(stored);
  });

  test('asks to send again what ran into a bug, and reports the bug', async () => {
    const named = logsMessage('bug');
    const body = contentType === JSON_TYPE ? JSON.stringify(named) : encodeRequest('logs', named);
    const answer = await call(receiver.url, { headers, body });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body.toString()).not.toContain('slipped');
    expect(receiver.bugs.pop()).toBeInstanceOf(TypeError);
  });
});

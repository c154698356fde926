import { request as httpRequest } from 'node:http';
import type { onRequestHookHandler } from 'fastify';
import { limits } from '#kernel/limits.js';
import { call, JSON_TYPE, logsMessage, PROTOBUF, statusOf } from './otlp.client.contract.js';
import { encodeRequest } from './otlp.oracle.contract.js';
import type { TestReceiver } from './otlp.receiver.contract.js';
import { startReceiver, until } from './otlp.receiver.contract.js';
import { sendRefusal } from './otlp.error-filter.js';
import { OtlpRefusal } from './otlp.refusal.js';

const protobufLogs = encodeRequest('logs', logsMessage('prompt'));
const jsonLogs = Buffer.from(JSON.stringify(logsMessage('prompt')));

let receiver: TestReceiver;
beforeAll(async () => {
  receiver = await startReceiver({ guard: refuseByHeader });
});
afterAll(() => receiver.close());

/** Stands for whatever guards the port: refuses with the status that a header asks for. */
const refuseByHeader: onRequestHookHandler = (request, reply, done) => {
  const status = Number(request.headers['x-refuse'] ?? 0);
  if (status > 0) sendRefusal(request, reply, new OtlpRefusal(status, 'Not you.'));
  else done();
};

describe('OTLP/HTTP', () => {
  const other: [string, Record<string, string>][] = [
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['protobuf by another name', { 'content-type': 'application/protobuf' }],
    ['nonsense', { 'content-type': 'nonsense' }],
    ['no type', {}],
  ];
  test.each(other)('refuses the Content-Type of %s with 415', async (_what, headers) => {
    const answer = await call(receiver.url, { headers, body: jsonLogs });
    expect(answer.status).toBe(415);
    expect(statusOf(answer)).toMatchObject({ code: 3 });
  });

  const json: [string, number, string][] = [
    ['unknown fields', 200, '{"resourceLogs":[],"later":{"a":[1]}}'],
    [
      'an integer as number',
      200,
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":5}]}]}]}',
    ],
    [
      'an integer as text',
      200,
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"5"}]}]}]}',
    ],
    [
      'an enum by name',
      400,
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":"SEVERITY_NUMBER_INFO"}]}]}]}',
    ],
    ['a list', 400, '[]'],
    ['null', 400, 'null'],
    ['depth', 400, '['.repeat(1_000_000)],
    ['20 MiB of brackets', 400, '['.repeat(limits.bodyBytesMax)],
    ['a key __proto__', 200, '{"__proto__":{"polluted":true}}'],
  ];
  test.each(json)('answers JSON with %s with %i', async (_what, status, body) => {
    const answer = await call(receiver.url, { headers: { 'content-type': JSON_TYPE }, body });
    expect(answer.status).toBe(status);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('answers HEAD without a body and OPTIONS like any other method', async () => {
    expect(await call(receiver.url, { method: 'HEAD' })).toMatchObject({
      status: 405,
      body: Buffer.alloc(0),
    });
    expect(await call(receiver.url, { method: 'OPTIONS' })).toMatchObject({ status: 405 });
  });

  test.each([
    [401, 16],
    [403, 7],
    [429, 8],
  ])('answers %i with a Status to whom its guard turns away', async (status, code) => {
    const headers = { 'content-type': PROTOBUF, 'x-refuse': String(status) };
    const answer = await call(receiver.url, { headers, body: protobufLogs });
    expect(answer.status).toBe(status);
    expect(statusOf(answer)).toEqual({ code, message: 'Not you.' });
    expect(answer.headers['retry-after']).toBe(status === 429 ? '1' : undefined);
    expect(await call(receiver.url, { path: '/other', headers })).toMatchObject({ status });
  });

  test('goes on when a sender hangs up in the middle of a body', async () => {
    const request = httpRequest(`${receiver.url}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': PROTOBUF, 'content-length': 1_000_000 },
    });
    const ended = new Promise<void>((resolve) =>
      request.on('close', resolve).on('error', () => {
        // Hanging up is what this request is for.
      }),
    );
    request.write(Buffer.alloc(1_000));
    await until(() => receiver.admission.inFlightBytes === 1_000_000);
    request.destroy();
    await ended;
    await until(() => receiver.admission.inFlightBytes === 0);
    expect(
      await call(receiver.url, { headers: { 'content-type': PROTOBUF }, body: protobufLogs }),
    ).toMatchObject({
      status: 200,
    });
    expect(receiver.bugs).toEqual([]);
  });

  test('counts requests by signal and code', async () => {
    const requests = (signal: string, code: string): Promise<number> =>
      receiver.counter('tri_agent_otlp_requests_total', { signal, code });
    const before = await requests('none', '404');
    await call(receiver.url, { path: '/elsewhere' });
    // A request is counted when its answer has left, which is about when the client has it.
    while ((await requests('none', '404')) !== before + 1) await call(receiver.url, {});
    expect(await requests('logs', '415')).toBeGreaterThan(0);
    expect(await receiver.counter('tri_agent_otlp_requests_total', { code: '500' })).toBe(0);
  });
});

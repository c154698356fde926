import { request as httpRequest } from 'node:http';
import type { ClientRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { limits } from '#kernel/limits.js';
import type { TestReceiver } from './otlp.receiver.contract.js';
import { startReceiver, until } from './otlp.receiver.contract.js';

const MIB = 1024 * 1024;
const BUDGET_BYTES = 8 * MIB;

let receiver: TestReceiver;
let open: () => void;
beforeEach(async () => {
  receiver = await startReceiver({ budgetBytes: BUDGET_BYTES });
  open = () => undefined;
});
afterEach(async () => {
  open();
  await receiver.close();
});

function holdTheLog(): void {
  receiver.log.gate = new Promise((resolve) => (open = resolve));
}

function promptBody(id: string, bytes = 0): Buffer {
  const resource = '{"attributes":[{"key":"service.name","value":{"stringValue":"claude-code"}}]}';
  const record = `{"eventName":"prompt","attributes":[{"key":"prompt.id","value":{"stringValue":"${id}"}}]}`;
  const body = `{"resourceLogs":[{"resource":${resource},"scopeLogs":[{"logRecords":[${record}]}]}]}`;
  return Buffer.from(body.padEnd(bytes));
}

function post(headers: Record<string, string | number>): {
  request: ClientRequest;
  status: Promise<number>;
} {
  const request = httpRequest(`${receiver.url}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
  });
  const status = new Promise<number>((resolve, reject) => {
    request.on('error', reject).on('response', (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
  });
  return { request, status };
}

function send(body: Buffer, headers: Record<string, string> = {}): Promise<number> {
  const { request, status } = post({ 'content-length': body.length, ...headers });
  request.end(body);
  return status;
}

describe('Under overload the receiver', () => {
  test('answers 200 or 503 only and never holds more than its budget', async () => {
    let heldMax = 0;
    let watching = true;
    const watch = (): void => {
      heldMax = Math.max(heldMax, receiver.admission.inFlightBytes);
      if (watching) setImmediate(watch);
    };
    watch();
    holdTheLog();
    const answers = Array.from({ length: 60 }, (_, index) => send(promptBody(`p${index}`, MIB)));
    let refused = 0;
    for (const answer of answers) void answer.then((status) => (refused += Number(status === 503)));
    // Large bodies are worked on one after another: the rest of the accepted ones wait for the first.
    await until(() => receiver.log.ticks.length === 1 && refused === 60 - BUDGET_BYTES / MIB);
    open();
    const statuses = await Promise.all(answers);
    watching = false;
    const accepted = statuses.filter((status) => status === 200).length;
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(accepted).toBe(receiver.log.events.length);
    expect(accepted).toBe(BUDGET_BYTES / MIB);
    expect(heldMax).toBeLessThanOrEqual(BUDGET_BYTES);
    expect(receiver.admission.inFlightBytes).toBe(0);
    expect(await send(promptBody('after', MIB))).toBe(200);
  });

  test('refuses at once, without waiting for the body', async () => {
    holdTheLog();
    const held = send(promptBody('held', 5 * MIB));
    await until(() => receiver.log.ticks.length === 1);
    const { request, status } = post({ 'content-length': 5 * MIB });
    request.flushHeaders();
    expect(await status).toBe(503);
    request.on('error', () => undefined).destroy();
    open();
    expect(await held).toBe(200);
  });

  test('counts what a gzip body grows to, not what it was sent as', async () => {
    const body = gzipSync(promptBody('large', 9 * MIB));
    expect(body.length).toBeLessThan(MIB);
    expect(await send(body, { 'content-encoding': 'gzip' })).toBe(503);
    expect(receiver.admission.inFlightBytes).toBe(0);
  });

  test('counts what a chunked body grows to', async () => {
    const { request, status } = post({});
    request.end(promptBody('large', 9 * MIB));
    expect(await status).toBe(503);
    expect(receiver.admission.inFlightBytes).toBe(0);
  });

  test('shows in a gauge what is in flight', async () => {
    holdTheLog();
    const held = send(promptBody('held', MIB));
    await until(() => receiver.log.ticks.length === 1);
    expect(await receiver.counter('tri_agent_otlp_in_flight_bytes')).toBe(MIB);
    open();
    await held;
    expect(await receiver.counter('tri_agent_otlp_in_flight_bytes')).toBe(0);
  });
});

describe('A gzip bomb of 1 GiB', () => {
  test('is refused with 413 while other requests are answered', async () => {
    const member = gzipSync(Buffer.alloc(64 * MIB));
    const bomb = Buffer.concat(Array<Buffer>(16).fill(member));
    expect(bomb.length).toBeLessThan(1.1 * MIB);
    const large = await startReceiver();
    const small = receiver;
    receiver = large;
    const bombs = [1, 2].map(() => send(bomb, { 'content-encoding': 'gzip' }));
    await until(() => large.admission.inFlightBytes > 0);
    expect(await send(promptBody('small'))).toBe(200);
    expect(await Promise.all(bombs)).toEqual([413, 413]);
    expect(large.admission.inFlightBytes).toBe(0);
    receiver = small;
    await large.close();
  });
});

describe('The server', () => {
  test('waits for no sender for ever', () => {
    const { headersTimeout, requestTimeout, keepAliveTimeout, maxConnections } = receiver.server;
    expect({ headersTimeout, requestTimeout, keepAliveTimeout, maxConnections }).toEqual({
      headersTimeout: limits.otlpHeadersMs,
      requestTimeout: limits.otlpRequestMs,
      keepAliveTimeout: limits.otlpKeepAliveMs,
      maxConnections: limits.otlpConnectionsMax,
    });
  });

  test('answers bytes that are no HTTP with 400', async () => {
    const socket = connect(receiver.port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write('\x16\x03\x01 no HTTP\r\n\r\n');
    await new Promise((resolve) => socket.on('close', resolve));
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 400 /);
    expect(receiver.bugs).toEqual([]);
  });
});

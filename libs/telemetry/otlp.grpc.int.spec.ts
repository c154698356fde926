import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, compressionAlgorithms, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { Registry } from 'prom-client';
import { limits } from '#kernel/limits.js';
import type { Intake } from './intake.js';
import { Admission } from './otlp.admission.js';
import type { OtlpGrpcOptions, RunningGrpc } from './otlp.grpc.js';
import { startOtlpGrpc } from './otlp.grpc.js';
import { decode, encodeRequest } from './otlp.oracle.contract.js';
import { plainIntake, RecordingLog } from './otlp.receiver.contract.js';
import type { Signal } from './otlp.records.js';

const samples = join(import.meta.dirname, 'otlp-samples');
const SERVICES: Readonly<Record<Signal, string>> = {
  logs: 'logs.v1.LogsService',
  metrics: 'metrics.v1.MetricsService',
  traces: 'trace.v1.TraceService',
};
const signals: Signal[] = ['logs', 'metrics', 'traces'];

let log: RecordingLog;
let registry: Registry;
let intake: Intake;
let admission: Admission;
let bugs: unknown[];
let server: RunningGrpc;
let client: Client;

async function start(options: Partial<OtlpGrpcOptions> = {}, gzip = false): Promise<void> {
  server = await startOtlpGrpc(
    { intake, admission, onBug: (error) => bugs.push(error), ...options },
    '127.0.0.1',
    0,
  );
  client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': gzip
      ? compressionAlgorithms.gzip
      : compressionAlgorithms.identity,
    'grpc.max_send_message_length': -1,
  });
}

beforeEach(() => {
  log = new RecordingLog();
  registry = new Registry();
  intake = plainIntake(log, registry);
  admission = new Admission(registry);
  bugs = [];
});
afterEach(async () => {
  client.close();
  await server.stop();
  expect(admission.inFlightBytes).toBe(0);
});

function exportOver(signal: Signal, message: Buffer, metadata = new Metadata()): Promise<Buffer> {
  const path = `/opentelemetry.proto.collector.${SERVICES[signal]}/Export`;
  const bytes = (buffer: Buffer): Buffer => buffer;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, bytes, bytes, message, metadata, (error, answer) => {
      if (error === null) resolve(answer ?? Buffer.alloc(0));
      else reject(error);
    });
  });
}

async function codeOf(answer: Promise<Buffer>): Promise<string> {
  const error: unknown = await answer.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error === null ? 'OK' : status[(error as ServiceError).code];
}

function prompts(...names: string[]): Buffer {
  const attributes = [{ key: 'service.name', value: { stringValue: 'claude-code' } }];
  const logRecords = names.map((eventName) => ({ eventName }));
  return encodeRequest('logs', {
    resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }],
  });
}

describe('OTLP/gRPC', () => {
  test.each(signals)('accepts recorded %s with an empty answer', async (signal) => {
    await start();
    const answer = await exportOver(signal, readFileSync(join(samples, `${signal}-protobuf.bin`)));
    expect(answer).toHaveLength(0);
    expect(log.events.length).toBeGreaterThan(0);
    const text = await registry.metrics();
    expect(text).toContain(
      `tri_agent_otlp_requests_total{signal="${signal}",transport="grpc",code="OK"} 1`,
    );
  });

  test('accepts gzip and an empty message', async () => {
    await start({}, true);
    await exportOver('logs', readFileSync(join(samples, 'logs-protobuf.bin')));
    expect(log.events.length).toBeGreaterThan(0);
    expect(await exportOver('logs', Buffer.alloc(0))).toHaveLength(0);
  });

  test('tells of rejected records in a partial success', async () => {
    await start();
    expect(decode('ExportResponse', await exportOver('logs', prompts('wrong', 'prompt')))).toEqual({
      partialSuccess: { rejected: '1', errorMessage: 'A record named "wrong" is wrong.' },
    });
    expect(log.events).toHaveLength(1);
  });

  test('refuses bytes that are no export with INVALID_ARGUMENT', async () => {
    await start();
    expect(await codeOf(exportOver('logs', Buffer.from([0x0f])))).toBe('INVALID_ARGUMENT');
  });

  test.each([false, true])(
    'refuses a message that is too large with RESOURCE_EXHAUSTED (gzip %s)',
    async (gzip) => {
      await start({}, gzip);
      const large = Buffer.alloc(limits.bodyBytesMax + 1);
      expect(await codeOf(exportOver('logs', large))).toBe('RESOURCE_EXHAUSTED');
    },
  );

  test('refuses more records than an export may hold with RESOURCE_EXHAUSTED', async () => {
    await start();
    const names = Array.from({ length: limits.recordsPerExportMax + 1 }, () => 'prompt');
    expect(await codeOf(exportOver('logs', prompts(...names)))).toBe('RESOURCE_EXHAUSTED');
  });

  test('answers UNAVAILABLE while the log cannot write', async () => {
    await start();
    log.unavailable = true;
    expect(await codeOf(exportOver('logs', prompts('prompt')))).toBe('UNAVAILABLE');
    log.unavailable = false;
    expect(await codeOf(exportOver('logs', prompts('prompt')))).toBe('OK');
  });

  test('answers UNAVAILABLE when the budget has no room for the message', async () => {
    admission = new Admission(new Registry(), limits.otlpGrpcFirstReservationBytes + 1_000);
    await start();
    const large = Buffer.alloc(limits.otlpGrpcFirstReservationBytes + 2_000);
    expect(await codeOf(exportOver('logs', large))).toBe('UNAVAILABLE');
    expect(await codeOf(exportOver('logs', prompts('prompt')))).toBe('OK');
  });

  test('answers UNAVAILABLE before it reads when the budget is used up', async () => {
    admission = new Admission(new Registry(), limits.otlpGrpcFirstReservationBytes - 1);
    await start();
    expect(await codeOf(exportOver('logs', prompts('prompt')))).toBe('UNAVAILABLE');
    expect(log.events).toEqual([]);
  });

  test('asks who calls before it reads', async () => {
    await start({ authorize: (metadata) => metadata.get('authorization')[0] === 'Bearer t' });
    expect(await codeOf(exportOver('logs', prompts('prompt')))).toBe('UNAUTHENTICATED');
    expect(log.events).toEqual([]);
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer t');
    expect(await codeOf(exportOver('logs', prompts('prompt'), metadata))).toBe('OK');
  });

  test('asks to send again what ran into a bug, and reports the bug', async () => {
    await start();
    expect(await codeOf(exportOver('logs', prompts('bug')))).toBe('UNAVAILABLE');
    expect(bugs).toHaveLength(1);
  });

  test('lets calls under way end when it stops', async () => {
    await start();
    let open = (): void => undefined;
    log.gate = new Promise((resolve) => (open = resolve));
    const answer = exportOver('logs', prompts('prompt'));
    while (log.ticks.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const stopped = server.stop();
    open();
    expect(await codeOf(answer)).toBe('OK');
    client.close();
    await stopped;
    await start();
  });
});

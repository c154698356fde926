import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ServerProcess } from '#platform/server-process.js';
import { encodeRequest } from '#libs/telemetry/otlp.oracle.contract.js';
import type { Signal } from '#libs/telemetry/otlp.records.js';

/** Makes and sends OTLP exports as an agent would, for the tests of the whole. */

export type Plain = Readonly<Record<string, unknown>>;
export type Attributes = Readonly<Record<string, string | number>>;

export interface Sendable {
  readonly signal: Signal;
  /** An export request as plain object, 64-bit integers as decimal text. */
  readonly request: Plain;
}

export function keyValues(attributes: Attributes): Plain[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { doubleValue: value },
  }));
}

/** One export of log records, one per set of attributes, of one service. */
export function logsOf(
  service: string,
  records: readonly Attributes[],
  resource: Attributes = {},
): Sendable {
  const logRecords = records.map((attributes) => ({
    timeUnixNano: `${Date.now()}000000`,
    attributes: keyValues(attributes),
  }));
  return { signal: 'logs', request: logsRequest(service, logRecords, resource) };
}

export function logsRequest(
  service: string,
  logRecords: readonly Plain[],
  resource: Attributes = {},
): Plain {
  const attributes = keyValues({ 'service.name': service, ...resource });
  return { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] };
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: string;
}

/** Sends over HTTP, as protobuf or JSON. */
export async function post(
  server: Pick<ServerProcess, 'otlpUrl'>,
  { signal, request }: Sendable,
  encoding: 'protobuf' | 'json' = 'protobuf',
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const type = encoding === 'json' ? 'application/json' : 'application/x-protobuf';
  const body =
    encoding === 'json' ? JSON.stringify(request) : new Uint8Array(encodeRequest(signal, request));
  const answer = await fetch(`${server.otlpUrl}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body,
  });
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after'),
    body: await answer.text(),
  };
}

const services: Readonly<Record<Signal, string>> = {
  logs: 'logs.v1.LogsService',
  metrics: 'metrics.v1.MetricsService',
  traces: 'trace.v1.TraceService',
};

/** A gRPC connection on which several exports may go; resolves with the status code, 0 for done. */
export class GrpcSender {
  private readonly client: Client;

  constructor(server: Pick<ServerProcess, 'ports'>) {
    const address = `127.0.0.1:${server.ports.otlpGrpc ?? 0}`;
    this.client = new Client(address, credentials.createInsecure());
  }

  send({ signal, request }: Sendable, token?: string): Promise<number> {
    const metadata = new Metadata();
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    const path = `/opentelemetry.proto.collector.${services[signal]}/Export`;
    const bytes = (buffer: Buffer): Buffer => buffer;
    const message = encodeRequest(signal, request);
    return new Promise((resolve) => {
      this.client.makeUnaryRequest(path, bytes, bytes, message, metadata, (error) => {
        resolve(error === null ? 0 : error.code);
      });
    });
  }

  close(): void {
    this.client.close();
  }
}

import type { IncomingHttpHeaders } from 'node:http';
import { request as httpRequest } from 'node:http';
import { decode } from './otlp.oracle.contract.js';

/** What the tests of OTLP/HTTP share: a client that can do everything wrong, and exports to send. */

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Sent in pieces without a Content-Length. */
  readonly chunked?: boolean;
}

export function call(
  url: string,
  { method = 'POST', path = '/v1/logs', headers, body, chunked }: Call,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length =
      body === undefined || chunked === true ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = httpRequest(
      `${url}${path}`,
      { method, headers: { ...length, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const { statusCode = 0, headers: received } = response;
          resolve({ status: statusCode, headers: received, body: Buffer.concat(chunks) });
        });
      },
    );
    request.on('error', reject);
    if (chunked === true && body !== undefined) {
      const bytes = Buffer.from(body);
      for (let start = 0; start < bytes.length; start += 1_000) {
        request.write(bytes.subarray(start, start + 1_000));
      }
    } else if (body !== undefined) request.write(body);
    request.end();
  });
}

interface StatusBody {
  readonly code?: number;
  readonly message?: string;
}

/** The google.rpc.Status of an answer, whose encoding must be what its Content-Type says. */
export function statusOf({ headers, body }: Answer): StatusBody {
  if (headers['content-type'] === PROTOBUF) return decode('Status', body);
  expect(headers['content-type']).toMatch(/^application\/json/);
  return JSON.parse(body.toString()) as StatusBody;
}

export function logsMessage(...names: string[]): Record<string, unknown> {
  const logRecords = names.map((eventName, index) => ({
    eventName,
    attributes: [{ key: 'prompt.id', value: { stringValue: `${eventName}${index}` } }],
  }));
  return message('resourceLogs', 'scopeLogs', { logRecords });
}

export function message(resources: string, scopes: string, scope: object): Record<string, unknown> {
  const attributes = [{ key: 'service.name', value: { stringValue: 'claude-code' } }];
  return { [resources]: [{ resource: { attributes }, [scopes]: [scope] }] };
}

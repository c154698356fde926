import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A model API on loopback that answers by a script, with usage that is known. */
export interface ScriptedApi {
  readonly url: string;
  close(): void;
}

/** One request to it. */
export interface Asked<Body> {
  readonly path: string;
  readonly body: Body;
  /** Counts the requests from 1 on. */
  readonly number: number;
}

/** Answers POSTs to paths that match; everything else is not found. */
export async function startScriptedApi<Body>(
  paths: RegExp,
  answer: (asked: Asked<Body>, response: ServerResponse) => void,
): Promise<ScriptedApi> {
  let number = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '/';
      if (request.method !== 'POST' || !paths.test(path)) {
        response.writeHead(path === '/' ? 200 : 404).end('{}');
        return;
      }
      number += 1;
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
      answer({ path, body, number }, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export interface StreamEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Server-sent events whose name is their type. */
export function stream(
  response: ServerResponse,
  events: Iterable<StreamEvent>,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
  for (const event of events) {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  response.end();
}

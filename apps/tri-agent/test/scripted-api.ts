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

/** For a prompt that says so, the tool that is asked for takes longer than anybody waits. */
export const slowPrompt = 'Take your time.';
/** Claude Code does not let a mere `sleep` run for long. */
export const slowCommand = 'tail -f --pid=1 /dev/null';
/** What is answered to who was interrupted meanwhile, and knows what was said before. */
export const restedAnswer = 'Done after a rest.';

/** For this prompt the first tool is over when there is such a file, and a second one is asked for. */
export function waitingPrompt(file: string): string {
  return `Wait for ${file} and go on.`;
}

export interface Line {
  readonly command: string;
  /** What is said in the end; null: not yet, the tool is to be called first. */
  readonly answer: string | null;
}

const quickCommand = 'echo hello';

/** What to ask of the client, by what it tells of the conversation so far. */
export function lineFor(body: object, hasToolResult: boolean): Line {
  const told = JSON.stringify(body);
  if (!told.includes(slowPrompt)) {
    const file = /Wait for (\S+) and go on/.exec(told)?.[1];
    if (file !== undefined && !hasToolResult) {
      return { command: `until test -e ${file}; do sleep 0.1; done`, answer: null };
    }
    const hasWorked = file === undefined ? hasToolResult : told.includes(quickCommand);
    return { command: quickCommand, answer: hasWorked ? 'Done.' : null };
  }
  if (told.includes('You were interrupted')) return { command: slowCommand, answer: restedAnswer };
  // A client that does not let it run must not ask for ever.
  return { command: slowCommand, answer: hasToolResult ? 'It was not slow.' : null };
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

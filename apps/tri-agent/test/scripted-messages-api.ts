import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * As much of the Messages API as a headless Claude Code needs, on loopback: it asks for one Bash call
 * and then says that it is done. Every answer has fixed usage, so that its cost is known.
 */
export interface ScriptedApi {
  readonly url: string;
  readonly requests: () => number;
  close(): void;
}

type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly name: string; readonly input: object };

interface Message {
  readonly role: string;
  readonly content: string | readonly { readonly type: string }[];
}

interface Body {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools?: readonly unknown[];
}

export async function startScriptedApi(): Promise<ScriptedApi> {
  let requests = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method !== 'POST' || !request.url?.startsWith('/v1/messages')) {
        response.writeHead(request.url === '/' ? 200 : 404).end('{}');
        return;
      }
      requests += 1;
      answer(response, JSON.parse(Buffer.concat(chunks).toString()) as Body, requests);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(response: ServerResponse, body: Body, number: number): void {
  const hasToolResult =
    Array.isArray(body.messages.at(-1)?.content) &&
    (body.messages.at(-1)?.content as readonly { type: string }[]).some(
      ({ type }) => type === 'tool_result',
    );
  const wantsTool = !hasToolResult && (body.tools?.length ?? 0) > 0;
  const block: Block = wantsTool
    ? { type: 'tool_use', name: 'Bash', input: { command: 'echo hello', description: 'greets' } }
    : { type: 'text', text: 'Done.' };
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'request-id': `req_scripted_${process.pid}_${number}`,
  });
  for (const event of eventsOf(body.model, block, number)) {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  response.end();
}

const usage = {
  input_tokens: 12,
  cache_read_input_tokens: 14_000,
  cache_creation_input_tokens: 3_200,
};

function* eventsOf(
  model: string,
  block: Block,
  number: number,
): Generator<{ readonly type: string; readonly [key: string]: unknown }> {
  const isTool = block.type === 'tool_use';
  yield {
    type: 'message_start',
    message: {
      id: `msg_scripted_${number}`,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...usage, output_tokens: 1 },
    },
  };
  yield {
    type: 'content_block_start',
    index: 0,
    content_block: isTool
      ? { type: 'tool_use', id: `toolu_scripted_${number}`, name: block.name, input: {} }
      : { type: 'text', text: '' },
  };
  yield {
    type: 'content_block_delta',
    index: 0,
    delta: isTool
      ? { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
      : { type: 'text_delta', text: block.text },
  };
  yield { type: 'content_block_stop', index: 0 };
  yield {
    type: 'message_delta',
    delta: { stop_reason: isTool ? 'tool_use' : 'end_turn', stop_sequence: null },
    usage: { ...usage, output_tokens: 28 },
  };
  yield { type: 'message_stop' };
}

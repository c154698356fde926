import type { ServerResponse } from 'node:http';
import {
  lineFor,
  startScriptedApi,
  stream,
  type Asked,
  type ScriptedApi,
  type StreamEvent,
} from './scripted-api.js';

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

/**
 * As much of the Messages API as a headless Claude Code needs: it asks for one Bash call and then says
 * that it is done.
 */
export function startMessagesApi(): Promise<ScriptedApi> {
  return startScriptedApi<Body>(/^\/v1\/messages/, answer);
}

function answer({ body, number }: Asked<Body>, response: ServerResponse): void {
  const hasToolResult =
    Array.isArray(body.messages.at(-1)?.content) &&
    (body.messages.at(-1)?.content as readonly { type: string }[]).some(
      ({ type }) => type === 'tool_result',
    );
  const { command, answer: text } = lineFor(body, hasToolResult);
  const wantsTool = text === null && (body.tools?.length ?? 0) > 0;
  const block: Block = wantsTool
    ? { type: 'tool_use', name: 'Bash', input: { command, description: 'works' } }
    : { type: 'text', text: text ?? 'Done.' };
  stream(response, eventsOf(body.model, block, number), {
    'request-id': `req_scripted_${process.pid}_${number}`,
  });
}

const usage = {
  input_tokens: 12,
  cache_read_input_tokens: 14_000,
  cache_creation_input_tokens: 3_200,
};

function* eventsOf(model: string, block: Block, number: number): Generator<StreamEvent> {
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

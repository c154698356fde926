import type { ServerResponse } from 'node:http';
import {
  lineFor,
  startScriptedApi,
  stream,
  type Asked,
  type ScriptedApi,
  type StreamEvent,
} from './scripted-api.js';

interface Tool {
  readonly name?: string;
  readonly type?: string;
  readonly tools?: readonly Tool[];
}

interface Item {
  readonly type: string;
  readonly role?: string;
  /** Codex hands some of its tools in as an item of the conversation. */
  readonly tools?: readonly Tool[];
}

interface Body {
  readonly model: string;
  readonly input: readonly Item[];
  readonly tools?: readonly Tool[];
}

/**
 * As much of the Responses API as a headless Codex CLI needs: it asks for one command and then says
 * that it is done. No two answers have the same usage, so that none can stand for another.
 */
export function startResponsesApi(): Promise<ScriptedApi> {
  return startScriptedApi<Body>(/\/responses$/, answer);
}

function answer({ body, number }: Asked<Body>, response: ServerResponse): void {
  const afterPrompt = body.input.slice(body.input.findLastIndex(isFromUser) + 1);
  const hasToolResult = afterPrompt.some(({ type }) => type.endsWith('_output'));
  const { command, answer: text } = lineFor(body, hasToolResult);
  const said = message(number, text ?? 'Done.');
  const output = text === null ? (toolCall(toolNames(body), number, command) ?? said) : said;
  stream(response, eventsOf(body.model, output, number));
}

function isFromUser({ type, role }: Item): boolean {
  return type === 'message' && role === 'user';
}

function toolNames({ tools = [], input }: Body): string[] {
  const offered = [...tools, ...input.flatMap((item) => item.tools ?? [])];
  return offered.flatMap((tool) => (tool.tools ?? [tool]).map(({ name }) => name ?? ''));
}

/** The command as a call of whichever tool runs commands in this client. */
function toolCall(names: readonly string[], number: number, cmd: string): object | undefined {
  const call = { call_id: `call_scripted_${number}`, status: 'completed' };
  const command = { cmd, yield_time_ms: 10_000 };
  if (names.includes('exec_command')) {
    const callArguments = JSON.stringify(command);
    const name = 'exec_command';
    return { ...call, type: 'function_call', id: `fc_${number}`, name, arguments: callArguments };
  }
  if (!names.includes('exec')) return undefined;
  const input = `text(JSON.stringify(await tools.exec_command(${JSON.stringify(command)})));`;
  return { ...call, type: 'custom_tool_call', id: `ctc_${number}`, name: 'exec', input };
}

function message(number: number, text: string): object {
  return {
    type: 'message',
    id: `msg_scripted_${number}`,
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
}

function* eventsOf(model: string, item: object, number: number): Generator<StreamEvent> {
  const response = { id: `resp_scripted_${number}`, object: 'response', model, output: [] };
  yield { type: 'response.created', response: { ...response, status: 'in_progress' } };
  yield { type: 'response.output_item.added', output_index: 0, item };
  yield { type: 'response.output_item.done', output_index: 0, item };
  const input = 9_000 + 1_000 * number;
  const output = 90 + number;
  yield {
    type: 'response.completed',
    response: {
      ...response,
      status: 'completed',
      output: [item],
      usage: {
        input_tokens: input,
        input_tokens_details: { cached_tokens: 4_000 + number, cache_write_tokens: 300 + number },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: 60 + number },
        total_tokens: input + output,
      },
    },
  };
}

import { randomUUID } from 'node:crypto';

/** The lines by which each agent says what happens, as the recordings have them, cut to what matters. */
export interface Dialect {
  begin(prompt: string): readonly object[];
  say(text: string): readonly object[];
  tool(command: string): readonly object[];
  /** A request that used so many tokens, where the agent tells it while it works. */
  use(inputTokens: number): readonly object[];
  /** What the last tool came to. */
  toolEnd(): readonly object[];
  retry(statusCode: number, attempt: number, waitMs: number): readonly object[];
  succeed(text: string): readonly object[];
  /** Null: not because of its provider. */
  fail(text: string, statusCode: number | null): readonly object[];
  exitCodeOf(statusCode: number | null): number;
  /** How it ends when it is told to. */
  readonly exitCodeOfTerm: number;
}

export type Name = 'claude' | 'codex' | 'gemini';

export function dialectOf(name: Name, args: readonly string[]): Dialect {
  return { claude, codex, gemini }[name](args);
}

/** What every fake run uses: 8 tokens in, 4 more from the cache, 5 out. */
const fakeCostUsd = 0.001;

function valueOf(args: readonly string[], ...options: readonly string[]): string | undefined {
  const found = options.map((option) => args.find((arg) => arg.startsWith(`${option}=`)));
  return found.find((arg) => arg !== undefined)?.replace(/^[^=]*=/, '');
}

function claude(args: readonly string[]): Dialect {
  const session_id = valueOf(args, '--session-id', '--resume') ?? randomUUID();
  const model = valueOf(args, '--model') ?? 'claude-sonnet-4-5-20250929';
  const usage = {
    inputTokens: 8,
    outputTokens: 5,
    cacheReadInputTokens: 4,
    cacheCreationInputTokens: 0,
    costUSD: fakeCostUsd,
  };
  const assistant = (content: object, used: object = {}) => [
    {
      type: 'assistant',
      message: { id: randomUUID(), model, content: [content], ...used },
      session_id,
    },
  ];
  const result = (more: object, models: object) => [
    {
      type: 'result',
      subtype: 'success',
      num_turns: 1,
      session_id,
      total_cost_usd: 'm' in models ? fakeCostUsd : 0,
      modelUsage: models,
      model_usage_since_last_result: models,
      permission_denials: [],
      result_index: 0,
      ...more,
    },
  ];
  return {
    begin: () => [{ type: 'system', subtype: 'init', session_id, model }],
    say: (text) => assistant({ type: 'text', text }),
    tool: (command) =>
      assistant({ type: 'tool_use', id: randomUUID(), name: 'Bash', input: { command } }),
    use: (input_tokens) =>
      assistant(
        { type: 'thinking', thinking: 'Hm.' },
        { usage: { input_tokens, output_tokens: 1, service_tier: 'standard' } },
      ),
    toolEnd: () => [
      {
        type: 'user',
        message: { content: [{ type: 'tool_result', content: 'ok' }] },
        parent_tool_use_id: null,
        session_id,
      },
    ],
    retry: (error_status, attempt, retry_delay_ms) => [
      { type: 'system', subtype: 'api_retry', attempt, retry_delay_ms, error_status, session_id },
    ],
    succeed: (text) =>
      result(
        { is_error: false, terminal_reason: 'completed', api_error_status: null, result: text },
        { m: usage },
      ),
    fail: (text, api_error_status) =>
      result({ is_error: true, terminal_reason: 'api_error', api_error_status, result: text }, {}),
    exitCodeOf: () => 1,
    exitCodeOfTerm: 143,
  };
}

function codex(args: readonly string[]): Dialect {
  const given = args.includes('resume') ? args.at(-2) : undefined;
  const thread_id = given ?? randomUUID();
  let items = 0;
  const item = (type: string, content: object) => ({
    type,
    item: { id: `item_${items++}`, ...content },
  });
  const message = (text: string) => item('item.completed', { type: 'agent_message', text });
  const wordsFor = (text: string, statusCode: number | null): string =>
    statusCode === null ? text : `exceeded retry limit, last status: ${statusCode} ${text}`;
  return {
    begin: () => [{ type: 'thread.started', thread_id }, { type: 'turn.started' }],
    say: (text) => [message(text)],
    tool: (command) => [item('item.started', { type: 'command_execution', command })],
    use: () => [],
    toolEnd: () => [
      item('item.completed', { type: 'command_execution', command: 'true', exit_code: 0 }),
    ],
    retry: (statusCode, attempt) => [
      {
        type: 'error',
        message: `Reconnecting... ${attempt}/5 (${wordsFor('Refused', statusCode)})`,
      },
    ],
    succeed: (text) => [
      message(text),
      {
        type: 'turn.completed',
        usage: { input_tokens: 12, cached_input_tokens: 4, output_tokens: 5 },
      },
    ],
    fail: (text, statusCode) => {
      const error = { message: wordsFor(text, statusCode) };
      return [
        { type: 'error', ...error },
        { type: 'turn.failed', error },
      ];
    },
    exitCodeOf: () => 1,
    exitCodeOfTerm: 143,
  };
}

function gemini(args: readonly string[]): Dialect {
  const session_id = valueOf(args, '--session-id', '--resume') ?? randomUUID();
  const model = valueOf(args, '--model') ?? 'gemini-2.5-pro';
  const timestamp = '2026-11-20T17:12:04.401Z';
  const message = (role: string, content: string) => ({
    type: 'message',
    timestamp,
    role,
    content,
    ...(role === 'assistant' ? { delta: true } : {}),
  });
  const inPieces = (text: string) =>
    text.split(/(?<= )/).map((piece) => message('assistant', piece));
  const stats = { total_tokens: 17, input_tokens: 12, output_tokens: 5, cached: 4, input: 8 };
  return {
    begin: (prompt) => [{ type: 'init', timestamp, session_id, model }, message('user', prompt)],
    say: inPieces,
    tool: (command) => [
      { type: 'tool_use', timestamp, tool_name: 'run_shell_command', parameters: { command } },
    ],
    use: () => [],
    toolEnd: () => [{ type: 'tool_result', timestamp, tool_id: 'tool', status: 'success' }],
    // It tells that on its standard error only.
    retry: () => [],
    succeed: (text) => [...inPieces(text), { type: 'result', timestamp, status: 'success', stats }],
    fail: (text, statusCode) => {
      const told = statusCode === null ? text : JSON.stringify({ error: { code: statusCode } });
      const error = { type: 'unknown', message: `[API Error: ${told}]` };
      return [{ type: 'result', timestamp, status: 'error', error, stats }];
    },
    exitCodeOf: (statusCode) => (statusCode ?? 1) % 256,
    exitCodeOfTerm: 0,
  };
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRealAgent, costByList } from './real-agent.js';
import { linesOf, type TaskTokens } from './real-agent-task.js';
import { startResponsesApi } from './scripted-responses.js';

/** `npm run check:codex`: the real Codex CLI is seen to the token. */

interface Line {
  readonly type: string;
  readonly thread_id?: string;
  readonly item?: { readonly type: string; readonly text?: string };
  readonly usage?: Readonly<Record<string, number>>;
}

/** Of gpt-5.6-sol, in nano-dollars a token: 4, 20, 0.4 and 5 dollars a million. */
const listPrice = { input: 4_000, output: 20_000, cacheRead: 400, cacheCreation: 5_000 };

await checkRealAgent({
  word: 'codex',
  package: '@openai/codex',
  version: '0.169.0',
  startApi: startResponsesApi,
  prepare: (home, apiUrl) => {
    const folder = join(home, '.codex');
    mkdirSync(folder);
    writeFileSync(join(folder, 'config.toml'), configFor(apiUrl));
    return { CODEX_HOME: folder, SCRIPTED_KEY: 'dummy' };
  },
  arguments: (prompt, resumed) => [
    'exec',
    ...(resumed === undefined ? [] : ['resume']),
    '--json',
    '--skip-git-repo-check',
    '--dangerously-bypass-approvals-and-sandbox',
    ...(resumed === undefined ? [] : [resumed]),
    prompt,
  ],
  // Its usage is that of the whole thread, also in a resumed run.
  read: (outputs) => {
    const lines = outputs.flatMap((output) => linesOf(output) as readonly Line[]);
    const commands = lines.filter(
      ({ type, item }) => type === 'item.completed' && item?.type === 'command_execution',
    );
    return {
      sessionId: threadOf(lines),
      expected: { tokens: tokensOf(lines), prompts: 2, toolCalls: commands.length },
    };
  },
  readTask: (printed) => {
    const lines = linesOf(printed) as readonly Line[];
    const tokens = tokensOf(lines);
    const said = lines.findLast(({ item }) => item?.type === 'agent_message');
    return {
      sessionId: threadOf(lines),
      tokens,
      costUsd: costByList(tokens, listPrice),
      result: said?.item?.text ?? '',
    };
  },
});

function threadOf(lines: readonly Line[]): string {
  return lines.find(({ thread_id: id }) => id !== undefined)?.thread_id ?? '';
}

function tokensOf(lines: readonly Line[]): TaskTokens {
  const usage = lines.findLast(({ type }) => type === 'turn.completed')?.usage ?? {};
  const {
    input_tokens: all = 0,
    cached_input_tokens: cacheRead = 0,
    cache_write_input_tokens: cacheCreation = 0,
    output_tokens: output = 0,
    reasoning_output_tokens: reasoning = 0,
  } = usage;
  return { input: all - cacheRead - cacheCreation, output, cacheRead, cacheCreation, reasoning };
}

/** As somebody may have it, with things that `connect` has to leave alone. */
function configFor(apiUrl: string): string {
  return `# The scripted model API
model = "gpt-5.6-sol"
model_provider = "scripted"

[otel]
environment = "check" # stays

[model_providers.scripted]
name = "scripted"
base_url = "${apiUrl}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
supports_websockets = false
`;
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRealAgent, costByList, sumOf } from './real-agent.js';
import { linesOf } from './real-agent-task.js';
import { startGeminiApi } from './scripted-gemini.js';

/** `npm run check:gemini`: the real Gemini CLI is seen to the token. */

interface Result {
  readonly session_id: string;
  readonly stats: {
    readonly models: Readonly<
      Record<string, { readonly tokens: Readonly<Record<string, number>> }>
    >;
    readonly tools: { readonly totalCalls: number };
  };
}

/** A line of what it prints to a worker. */
interface Line {
  readonly type: string;
  readonly session_id?: string;
  readonly role?: string;
  readonly content?: string;
  readonly stats?: Readonly<Record<string, number>>;
}

/** Of gemini-2.5-pro, in nano-dollars a token: 1.25, 10 and 0.125 dollars a million. */
const listPrice = { input: 1_250, output: 10_000, cacheRead: 125 };

await checkRealAgent({
  word: 'gemini',
  package: '@google/gemini-cli',
  version: '0.61.0',
  startApi: startGeminiApi,
  model: 'gemini-2.5-pro',
  prepare: (home, apiUrl) => {
    const folder = join(home, '.gemini');
    mkdirSync(folder);
    const settings = { security: { auth: { selectedType: 'gemini-api-key' } } };
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
    return {
      GEMINI_API_KEY: 'dummy',
      GOOGLE_GEMINI_BASE_URL: apiUrl,
      // The launcher would start it anew, and ignore being told to stop.
      GEMINI_CLI_NO_RELAUNCH: 'true',
    };
  },
  arguments: (prompt, resumed) => [
    '-p',
    prompt,
    ...(resumed === undefined ? [] : ['--resume', resumed]),
    '--output-format',
    'json',
    '--model',
    'gemini-2.5-pro',
    '--yolo',
    // It reads no .env in a folder that it does not trust.
    '--skip-trust',
  ],
  // Its figures are those of one process.
  read: (outputs) => {
    const results = outputs.map((output) => JSON.parse(output) as Result);
    const tokens = results.flatMap(({ stats }) =>
      Object.values(stats.models).map((model) => model.tokens),
    );
    const reasoning = sumOf(tokens, 'thoughts');
    return {
      sessionId: results[0]?.session_id ?? '',
      expected: {
        tokens: {
          input: sumOf(tokens, 'input'),
          output: sumOf(tokens, 'candidates') + reasoning,
          cacheRead: sumOf(tokens, 'cached'),
          cacheCreation: 0,
          reasoning,
        },
        prompts: results.length,
        toolCalls: results.reduce((sum, { stats }) => sum + stats.tools.totalCalls, 0),
      },
    };
  },
  // It answers in pieces; its total knows of the thoughts, which are neither input nor output to it.
  readTask: (printed) => {
    const lines = linesOf(printed) as readonly Line[];
    const spoken = lines.slice(lines.findLastIndex(({ type }) => type === 'tool_result') + 1);
    const said = spoken.filter(({ type, role }) => type === 'message' && role === 'assistant');
    const stats = lines.findLast(({ type }) => type === 'result')?.stats ?? {};
    const {
      total_tokens: total = 0,
      input_tokens: all = 0,
      output_tokens: answered = 0,
      input = 0,
      cached: cacheRead = 0,
    } = stats;
    const output = total - all;
    const tokens = { input, output, cacheRead, cacheCreation: 0, reasoning: output - answered };
    return {
      sessionId: lines.find(({ type }) => type === 'init')?.session_id ?? '',
      tokens,
      costUsd: costByList(tokens, listPrice),
      result: said.map(({ content }) => content ?? '').join(''),
    };
  },
});

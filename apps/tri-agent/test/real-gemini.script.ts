import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRealAgent, sumOf } from './real-agent.js';
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
});

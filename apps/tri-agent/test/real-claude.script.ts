import { execFileSync } from 'node:child_process';
import { checkRealAgent, sumOf } from './real-agent.js';
import { checkClaudeHooks } from './real-claude-hooks.js';
import { linesOf, type TaskFigures } from './real-agent-task.js';
import { startMessagesApi } from './scripted-messages.js';

/** `npm run check:claude`: the real Claude Code is seen to the token and the nano-dollar, and its hooks hold. */

interface Result {
  readonly type: string;
  readonly result: string;
  readonly session_id: string;
  readonly total_cost_usd: number;
  readonly modelUsage: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

await checkRealAgent({
  word: 'claude',
  package: '@anthropic-ai/claude-code',
  version: '2.1.329',
  startApi: startMessagesApi,
  model: 'claude-sonnet-4-5-20250929',
  // The package puts its native binary in place by an install script, which npm may not run.
  afterInstall: (installed) => {
    execFileSync(process.execPath, ['install.cjs'], { cwd: installed });
  },
  prepare: (home, apiUrl) => ({
    CLAUDE_CONFIG_DIR: `${home}/.claude`,
    ANTHROPIC_BASE_URL: apiUrl,
    ANTHROPIC_API_KEY: 'dummy',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    IS_SANDBOX: '1',
  }),
  arguments: (prompt, resumed) => [
    '-p',
    prompt,
    ...(resumed === undefined ? [] : ['--resume', resumed]),
    '--output-format',
    'json',
    '--model',
    'claude-sonnet-4-5-20250929',
    '--dangerously-skip-permissions',
  ],
  checkMore: checkClaudeHooks,
  // What a resumed run prints covers the whole session.
  read: (outputs) => {
    const { sessionId, costUsd, tokens } = figuresOf(JSON.parse(outputs.at(-1) ?? '') as Result);
    return { sessionId, expected: { costUsd, tokens, prompts: 2, toolCalls: 2 } };
  },
  readTask: (printed) => {
    const last = (linesOf(printed) as readonly Result[]).findLast(({ type }) => type === 'result');
    if (last === undefined) throw new Error(`Claude Code told no result: ${printed}`);
    return figuresOf(last);
  },
});

function figuresOf(result: Result): TaskFigures {
  const usage = Object.values(result.modelUsage);
  return {
    sessionId: result.session_id,
    tokens: {
      input: sumOf(usage, 'inputTokens'),
      output: sumOf(usage, 'outputTokens'),
      cacheRead: sumOf(usage, 'cacheReadInputTokens'),
      cacheCreation: sumOf(usage, 'cacheCreationInputTokens'),
      reasoning: null,
    },
    costUsd: result.total_cost_usd.toFixed(9),
    result: result.result,
  };
}

import { execFile, execFileSync, type ExecFileException } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '#platform/project-root.js';
import { ServerProcess } from '#platform/server-process.js';
import { startScriptedApi } from './scripted-messages-api.js';
import { freePort, waitUntil } from './support.js';

/**
 * `npm run check:claude`: the real Claude Code, installed from npm into a throw-away folder, connected
 * by `tri-agent-ctl connect claude --write`, against a scripted model API on loopback. A session of
 * two runs, the second resuming the first. Exits with 1 unless its cost and tokens here equal what
 * the client itself printed.
 */
const version = '2.1.329';
const folder = mkdtempSync(join(tmpdir(), 'tri-agent-claude-'));
const home = join(folder, 'home');
const work = join(folder, 'work');
const root = projectRoot();

interface Result {
  readonly session_id: string;
  readonly total_cost_usd: number;
  readonly is_error: boolean;
  readonly modelUsage: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
interface Session {
  readonly costUsd: string;
  readonly tokens: Readonly<Record<string, number>>;
  readonly prompts: number;
  readonly toolCalls: number;
}

const api = await startScriptedApi();
const otlpHttpPort = String(await freePort());
const environment = {
  TRI_AGENT_HOME: join(folder, 'tri-agent'),
  TRI_AGENT_OTLP_HTTP_PORT: otlpHttpPort,
  CLAUDE_CONFIG_DIR: join(home, '.claude'),
  HOME: home,
};
for (const path of [home, work, environment.CLAUDE_CONFIG_DIR]) {
  mkdirSync(path, { recursive: true });
}
const server = await ServerProcess.start({ home: environment.TRI_AGENT_HOME, environment });
try {
  const claude = installClaude();
  const ctl = join(root, 'apps/tri-agent-ctl/bin.mjs');
  execFileSync(process.execPath, [ctl, 'connect', 'claude', '--write'], {
    env: { ...process.env, ...environment },
  });
  const first = await runClaude(claude, ['Do some work.']);
  const last = await runClaude(claude, ['Do more of it.', '--resume', first.session_id]);
  process.exitCode = (await agrees(last)) ? 0 : 1;
} finally {
  await server.stop();
  api.close();
  rmSync(folder, { recursive: true, force: true });
}

function installClaude(): string {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder];
  execFileSync('npm', ['install', ...quiet, `@anthropic-ai/claude-code@${version}`]);
  const installed = join(folder, 'node_modules/@anthropic-ai/claude-code');
  // The package puts its native binary in place by an install script, which npm may not run.
  execFileSync(process.execPath, ['install.cjs'], { cwd: installed });
  return join(folder, 'node_modules/.bin/claude');
}

function runClaude(claude: string, args: readonly string[]): Promise<Result> {
  const options = ['--output-format', 'json', '--model', 'claude-sonnet-4-5-20250929'];
  const permissions = ['--dangerously-skip-permissions'];
  return new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void => {
      if (error === null) resolve(JSON.parse(stdout) as Result);
      else reject(new Error(`Claude Code failed: ${stderr}${stdout}`, { cause: error }));
    };
    const child = execFile(
      claude,
      ['-p', ...args, ...options, ...permissions],
      {
        cwd: work,
        timeout: 60_000,
        env: {
          ...process.env,
          ...environment,
          ANTHROPIC_BASE_URL: api.url,
          ANTHROPIC_API_KEY: 'dummy',
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          DISABLE_AUTOUPDATER: '1',
          IS_SANDBOX: '1',
        },
      },
      done,
    );
    child.stdin?.end();
  });
}

async function agrees(result: Result): Promise<boolean> {
  const expected = {
    costUsd: result.total_cost_usd.toFixed(9),
    tokens: {
      input: sumOf(result, 'inputTokens'),
      output: sumOf(result, 'outputTokens'),
      cacheRead: sumOf(result, 'cacheReadInputTokens'),
      cacheCreation: sumOf(result, 'cacheCreationInputTokens'),
      reasoning: null,
    },
    prompts: 2,
    toolCalls: 2,
  };
  let seen: Session | undefined;
  await waitUntil('the session is as the client says', async () => {
    const answer = await server.get(`/api/v1/sessions/${result.session_id}`);
    if (answer.status === 200) seen = (await answer.json()) as Session;
    return seen?.costUsd === expected.costUsd && seen.toolCalls === expected.toolCalls;
  }).catch(() => undefined);
  const { costUsd, tokens, prompts, toolCalls } = seen ?? {};
  const shown = { costUsd, tokens, prompts, toolCalls };
  const equal = JSON.stringify(shown) === JSON.stringify(expected);
  console.log(JSON.stringify({ client: version, expected, shown, equal }));
  return equal;
}

function sumOf({ modelUsage }: Result, kind: string): number {
  return Object.values(modelUsage).reduce((sum, usage) => sum + (usage[kind] ?? 0), 0);
}

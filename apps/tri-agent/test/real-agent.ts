import { execFile, execFileSync, type ExecFileException } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { formatUsd } from '#kernel/money.js';
import { projectRoot } from '#platform/project-root.js';
import { ServerProcess } from '#platform/server-process.js';
import { runsAsTask, type TaskFigures, type TaskTokens } from './real-agent-task.js';
import type { ScriptedApi } from './scripted-api.js';
import { freePort, waitUntil } from './support.js';

/**
 * What the checks against real clients share: the client is installed from npm into a throw-away folder,
 * connected by `tri-agent-ctl connect <agent> --write`, and run twice against a scripted model API on
 * loopback, the second run resuming the first. Then the session here has to be what the client said.
 * After that a real worker runs it for a queued task, which has to be told of as the client told of it, and
 * pauses and carries on another.
 */
export interface RealAgent {
  readonly word: 'claude' | 'codex' | 'gemini';
  readonly package: string;
  readonly version: string;
  startApi(): Promise<ScriptedApi>;
  /** What npm leaves undone. */
  afterInstall?(installed: string): void;
  /** Writes what the client needs beside the telemetry; returns its environment. */
  prepare(home: string, apiUrl: string): Readonly<Record<string, string>>;
  /** Of the task that a worker runs; the client's own choice where it is none. */
  readonly model?: string;
  /** The arguments of a run; `resumed` is the session of the first. */
  arguments(prompt: string, resumed?: string): readonly string[];
  /** What a run printed, as the session's id and the figures of the session so far. */
  read(outputs: readonly string[]): RealSession;
  /** What a run printed that a worker began; its cost by the price list where it tells none. */
  readTask(printed: string): TaskFigures;
  /** What else has to hold of this client. */
  checkMore?(installed: Installed): Promise<boolean>;
}

/** A client that was installed, in a folder that goes with it. */
export interface Installed {
  readonly program: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface RealSession {
  readonly sessionId: string;
  /** Members of the session as our API shows it. */
  readonly expected: Readonly<Record<string, unknown>>;
}

interface Place {
  readonly folder: string;
  readonly home: string;
  readonly work: string;
}

/** Prints both sides as JSON; the process ends with 1 where they differ. */
export async function checkRealAgent(agent: RealAgent): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `tri-agent-${agent.word}-`));
  const place = { folder, home: join(folder, 'home'), work: join(folder, 'work') };
  mkdirSync(place.home);
  mkdirSync(place.work);
  const api = await agent.startApi();
  const ours = {
    HOME: place.home,
    TRI_AGENT_HOME: join(folder, 'tri-agent'),
    TRI_AGENT_OTLP_HTTP_PORT: String(await freePort()),
  };
  const server = await ServerProcess.start({ home: ours.TRI_AGENT_HOME, environment: ours });
  try {
    const program = install(agent, folder);
    const environment = { ...ours, ...agent.prepare(place.home, api.url) };
    connect(agent, place, environment);
    const first = await run(agent, program, place, environment);
    const { sessionId } = agent.read([first]);
    const second = await run(agent, program, place, environment, sessionId);
    const isEqual = await agrees(agent, server, agent.read([first, second]));
    const installed = { program, folder, environment };
    const isHome = await runsAsTask(agent, server, place.work, installed);
    const isMore = (await agent.checkMore?.(installed)) ?? true;
    process.exitCode = isEqual && isHome && isMore ? 0 : 1;
  } finally {
    await server.stop();
    api.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(agent: RealAgent, folder: string): string {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder];
  execFileSync('npm', ['install', ...quiet, `${agent.package}@${agent.version}`]);
  agent.afterInstall?.(join(folder, 'node_modules', agent.package));
  return join(folder, 'node_modules/.bin', agent.word);
}

function connect(
  { word }: RealAgent,
  { work }: Place,
  environment: Readonly<Record<string, string>>,
): void {
  const ctl = join(projectRoot(), 'apps/tri-agent-ctl/bin.cjs');
  const env = { ...process.env, ...environment };
  execFileSync(process.execPath, [ctl, 'connect', word, '--write'], { cwd: work, env });
}

function run(
  agent: RealAgent,
  program: string,
  { work }: Place,
  environment: Readonly<Record<string, string>>,
  resumed?: string,
): Promise<string> {
  const prompt = resumed === undefined ? 'Do some work.' : 'Do more of it.';
  const options = { cwd: work, timeout: 60_000, env: { ...process.env, ...environment } };
  return new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${agent.word} failed: ${stderr}${stdout}`, { cause: error }));
    };
    const child = execFile(program, agent.arguments(prompt, resumed), options, done);
    child.stdin?.end();
  });
}

async function agrees(
  { package: name, version }: RealAgent,
  server: ServerProcess,
  { sessionId, expected }: RealSession,
): Promise<boolean> {
  let shown: Record<string, unknown> = {};
  const isEqual = (): boolean => isDeepStrictEqual(shown, expected);
  await waitUntil('the session is as the client says', async () => {
    const answer = await server.get(`/api/v1/sessions/${encodeURIComponent(sessionId)}`);
    if (answer.status !== 200) return false;
    const session = (await answer.json()) as Record<string, unknown>;
    shown = Object.fromEntries(Object.keys(expected).map((key) => [key, session[key]]));
    return isEqual();
  }).catch(() => undefined);
  console.log(JSON.stringify({ client: `${name}@${version}`, expected, shown, equal: isEqual() }));
  return isEqual();
}

/** The sum of one figure over several records. */
export function sumOf<Kind extends string>(
  records: readonly Readonly<Partial<Record<Kind, number>>>[],
  kind: Kind,
): number {
  return records.reduce((sum, record) => sum + (record[kind] ?? 0), 0);
}

/** Of requests that are all of one model and below its higher tiers. @param rates nano-dollars a token */
export function costByList(tokens: TaskTokens, rates: Partial<TaskTokens>): string {
  const { input, output, cacheRead, cacheCreation } = tokens;
  const parts = [
    input * (rates.input ?? 0),
    output * (rates.output ?? 0),
    cacheRead * (rates.cacheRead ?? 0),
    cacheCreation * (rates.cacheCreation ?? 0),
  ];
  return formatUsd(BigInt(parts.reduce((sum, part) => sum + part, 0)));
}

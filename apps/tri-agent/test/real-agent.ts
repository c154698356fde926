import { execFile, execFileSync, type ExecFileException } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { projectRoot } from '#platform/project-root.js';
import { ServerProcess } from '#platform/server-process.js';
import { agentOf } from '../../tri-agent-ctl/src/dispatch/words.js';
import { runCli } from './cli-process.js';
import { pausesAndCarriesOn } from './real-agent-pause.js';
import type { ScriptedApi } from './scripted-api.js';
import { freePort, waitUntil } from './support.js';
import { WorkerProgram } from './worker-program.js';

/**
 * What the checks against real clients share: the client is installed from npm into a throw-away folder,
 * connected by `tri-agent-ctl connect <agent> --write`, and run twice against a scripted model API on
 * loopback, the second run resuming the first. Then the session here has to be what the client said.
 * After that a real worker runs it for a queued task, whose result has to come home, and pauses and carries on another.
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
    const isHome = await runsAsTask(agent, server, place, program, environment);
    const isMore = (await agent.checkMore?.({ program, folder, environment })) ?? true;
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

/** A worker of its own, so that nothing but what the runner hands on reaches the client. */
async function runsAsTask(
  { word, model }: RealAgent,
  server: ServerProcess,
  { work }: Place,
  program: string,
  environment: Readonly<Record<string, string>>,
): Promise<boolean> {
  const bin = `TRI_AGENT_${word.toUpperCase()}_BIN`;
  const leave = ['--root', work, '--may-skip-permissions'];
  const passed = Object.keys(environment).filter((name) => !name.startsWith('TRI_AGENT_'));
  const worker = await WorkerProgram.start(
    server,
    { ...environment, [bin]: program, TRI_AGENT_OTLP_HTTP_PORT: String(server.ports.otlpHttp) },
    ...[...leave, '--pass-variable', ...passed],
  );
  try {
    const wanted = ['--agent', word, '--cwd', work, '--permission-mode', 'bypassPermissions'];
    const chosen = model === undefined ? [] : ['--model', model];
    const argv = ['run', 'Do some work.', '--json', ...wanted, ...chosen];
    const { exit, out, err } = await runCli(server, argv);
    const told = JSON.parse(out === '' ? '{}' : out) as Record<string, unknown>;
    const { taskId, sessionId, state, result } = told;
    let session: Record<string, unknown> = {};
    await waitUntil('the session is known as that of the task', async () => {
      const answer = await server.get(`/api/v1/sessions/${encodeURIComponent(String(sessionId))}`);
      session = (await answer.json()) as Record<string, unknown>;
      return session['taskId'] === taskId;
    }).catch(() => undefined);
    const { tokens, costUsd, taskId: ofTask } = session;
    const isHome = exit === 0 && result === 'Done.' && ofTask === taskId;
    console.log(JSON.stringify({ task: { state, result, sessionId, tokens, costUsd }, isHome }));
    if (!isHome) console.error(`${err}\n${worker.printed}`);
    const bypass = { directory: work, permissionMode: 'bypassPermissions' };
    const task = { agent: agentOf(word), ...bypass, ...(model !== undefined && { model }) };
    const isCarriedOn = await pausesAndCarriesOn(server, task).catch((error: unknown) => {
      console.error(error);
      return false;
    });
    if (!isCarriedOn) console.error(worker.printed);
    return isCarriedOn && isHome;
  } finally {
    await worker.stop();
  }
}

/** The sum of one figure over several records. */
export function sumOf<Kind extends string>(
  records: readonly Readonly<Partial<Record<Kind, number>>>[],
  kind: Kind,
): number {
  return records.reduce((sum, record) => sum + (record[kind] ?? 0), 0);
}

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ServerProcess } from '#platform/server-process.js';
import { agentOf } from '../../tri-agent-ctl/src/dispatch/words.js';
import { runCli } from './cli-process.js';
import { pausesAndCarriesOn } from './real-agent-pause.js';
import type { Installed, RealAgent } from './real-agent.js';
import { WorkerProgram } from './worker-program.js';

/** What a run of a client came to, under the names of `run --json`. */
export interface TaskFigures {
  readonly sessionId: string;
  readonly tokens: TaskTokens;
  /** US dollars with nine digits after the point. */
  readonly costUsd: string;
  readonly result: string;
}

export interface TaskTokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheCreation: number;
  readonly reasoning: number | null;
}

type Plain = Readonly<Record<string, unknown>>;

const membersOfRun = ['taskId', 'state', 'agent', 'sessionId', 'tokens', 'costUsd', 'result'];

/**
 * A real worker runs the client for a task: what `run --json` and the API then tell is what the client
 * itself printed, field by field. Another task is paused and carried on.
 */
export async function runsAsTask(
  agent: RealAgent,
  server: ServerProcess,
  work: string,
  { program, folder, environment }: Installed,
): Promise<boolean> {
  const { word, model } = agent;
  const printed = new PrintedByClient(folder, program);
  // A worker of its own, so that nothing but what the runner hands on reaches the client.
  const bin = `TRI_AGENT_${word.toUpperCase()}_BIN`;
  const leave = ['--root', work, '--may-skip-permissions'];
  const passed = Object.keys(environment).filter((name) => !name.startsWith('TRI_AGENT_'));
  const worker = await WorkerProgram.start(
    server,
    {
      ...{ ...environment, [bin]: printed.program },
      TRI_AGENT_OTLP_HTTP_PORT: String(server.ports.otlpHttp),
    },
    ...[...leave, '--pass-variable', ...passed],
  );
  try {
    const wanted = ['--agent', word, '--cwd', work, '--permission-mode', 'bypassPermissions'];
    const chosen = model === undefined ? [] : ['--model', model];
    const argv = ['run', 'Do some work.', '--json', ...wanted, ...chosen];
    const { exit, out, err } = await runCli(server, argv);
    const told = JSON.parse(out === '' ? '{}' : out) as Plain;
    const isEqual = exit === 0 && (await agrees(agent, server, told, printed));
    if (!isEqual) console.error(`${out}${err}\n${worker.printed}`);
    const bypass = { directory: work, permissionMode: 'bypassPermissions' };
    const task = { agent: agentOf(word), ...bypass, ...(model !== undefined && { model }) };
    const isCarriedOn = await pausesAndCarriesOn(server, task).catch((error: unknown) => {
      console.error(error);
      return false;
    });
    if (!isCarriedOn) console.error(worker.printed);
    return isCarriedOn && isEqual;
  } finally {
    await worker.stop();
  }
}

/** Nothing is waited for here: whoever has run a task knows by then what it came to. */
async function agrees(
  agent: RealAgent,
  server: ServerProcess,
  told: Plain,
  printed: PrintedByClient,
): Promise<boolean> {
  const [taskId, sessionId] = [String(told['taskId']), String(told['sessionId'])];
  const ask = async (path: string): Promise<Plain> =>
    (await (await server.get(`/api/v1/${path}`)).json()) as Plain;
  const session = await ask(`sessions/${encodeURIComponent(sessionId)}`);
  const { result } = await ask(`tasks/${taskId}/result`);
  const total = (await ask(`usage?by=task&task=${taskId}`))['total'] as Plain;
  const client = agent.readTask(printed.inSession(sessionId));
  const run = figuresOf(told);
  const api = figuresOf({ ...session, result });
  const usage = { tokens: total['tokens'], costUsd: total['costUsd'] };
  const isWhole =
    isDeepStrictEqual(Object.keys(told), membersOfRun) &&
    told['state'] === 'completed' &&
    told['agent'] === agentOf(agent.word) &&
    session['taskId'] === taskId;
  const { tokens, costUsd } = client;
  const equal =
    isWhole &&
    isDeepStrictEqual(run, client) &&
    isDeepStrictEqual(api, client) &&
    isDeepStrictEqual(usage, { tokens, costUsd });
  console.log(JSON.stringify({ task: { client, run, api, usage }, equal }));
  return equal;
}

function figuresOf({ sessionId, tokens, costUsd, result }: Plain): Plain {
  return { sessionId, tokens, costUsd, result };
}

/**
 * Starts the client in its own place: the same process, with what it is given and how it ends its own. What
 * it prints goes to a file, too.
 */
class PrintedByClient {
  readonly program: string;
  private readonly files: string;

  constructor(folder: string, client: string) {
    this.files = join(folder, 'printed');
    this.program = join(folder, 'printing-client');
    mkdirSync(this.files);
    writeFileSync(
      this.program,
      `#!/bin/bash\nexec '${client}' "$@" > >(exec tee '${this.files}'/$$)\n`,
      { mode: 0o700 },
    );
  }

  /** By the process that told of this session; empty where none did. */
  inSession(sessionId: string): string {
    const all = readdirSync(this.files).map((name) => readFileSync(join(this.files, name), 'utf8'));
    return all.find((text) => text.includes(sessionId)) ?? '';
  }
}

/** What the client printed as JSON, line by line. */
export function linesOf(printed: string): readonly unknown[] {
  return printed
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): unknown => JSON.parse(line));
}

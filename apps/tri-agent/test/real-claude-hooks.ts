import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Gate } from '#libs/hooks/gate.js';
import { loadConfig } from '#platform/config.js';
import { projectRoot } from '#platform/project-root.js';
import { startServer } from '../src/server.js';
import { hookCosts } from './hooks-cost.js';
import type { Installed } from './real-agent.js';

/**
 * The hooks of a real Claude Code that a person starts, connected by `connect claude --write`, with a
 * server whose gate is shut by hand: its process is registered, and it stops where it has to.
 */

const reason = 'The budget of today is used up. Ask for more.';

/** Open for so many questions, then shut. */
class CountingGate extends Gate {
  left = Infinity;
  stopReasonFor(): string | null {
    this.left -= 1;
    return this.left < 0 ? reason : null;
  }
}

interface Line {
  readonly type: string;
  readonly subtype?: string;
  readonly content?: string;
  readonly session_id?: string;
  readonly total_cost_usd?: number;
  readonly message?: { readonly content?: unknown };
}

/** A run of the client: what it printed, and under which pid. */
interface Run {
  readonly pid: number;
  readonly lines: readonly Line[];
  readonly printed: string;
}

type Check = readonly [what: string, holds: boolean];

/** Prints what was seen as JSON. @returns whether all of it is as it has to be. */
export async function checkClaudeHooks(installed: Installed): Promise<boolean> {
  const home = join(installed.folder, 'hooked');
  mkdirSync(join(home, 'work'), { recursive: true });
  const gate = new CountingGate();
  const environment = {
    ...installed.environment,
    ...{ HOME: home, CLAUDE_CONFIG_DIR: join(home, '.claude') },
    ...{ TRI_AGENT_HOME: join(home, 'tri-agent'), TRI_AGENT_HTTP_PORT: '0' },
    ...{ TRI_AGENT_OTLP_HTTP_PORT: '0', TRI_AGENT_OTLP_GRPC_PORT: '0' },
  };
  const server = await startServer(loadConfig(environment).config, gate);
  const url = `http://127.0.0.1:${server.ports.http ?? 0}`;
  const client = new HookedClient(installed.program, home, { ...environment, TRI_AGENT_URL: url });
  const checks: Check[] = [];
  let costs: unknown;
  try {
    client.connect();
    checks.push(...checkOpen(client, await client.run()));
    gate.left = 0;
    checks.push(...checkPrompt(client, await client.run()));
    gate.left = 1;
    checks.push(...checkTool(client, await client.run()));
    gate.left = Infinity;
    const token = readFileSync(join(home, 'tri-agent', 'hooks-token'), 'utf8').trim();
    costs = await hookCosts(url, token, 500);
  } finally {
    await server.stop();
  }
  checks.push(['without a server it goes on', (await client.run()).printed.includes('Done.')]);
  client.connect('--hooks', 'closed');
  checks.push(...checkClosed(await client.run()));
  const failed = checks.filter(([, holds]) => !holds).map(([what]) => what);
  const agentMs = client.waits;
  console.log(JSON.stringify({ hooks: { checks: checks.length, failed, agentMs, costs } }));
  return failed.length === 0;
}

function checkOpen(client: HookedClient, { pid, lines, printed }: Run): Check[] {
  const events = client.eventsOf(sessionOf(lines));
  const [seen] = events.filter(({ type }) => type === 'AgentProcessSeen');
  return [
    ['an open gate lets it work', printed.includes('Done.')],
    ['its process is registered', seen?.data['pid'] === pid],
    ['its folder is registered', seen?.data['directory'] === client.work],
    ['its turn begins and ends', typesOf(events).includes('TurnBegan,TurnEnded,SessionEnded')],
  ];
}

function checkPrompt(client: HookedClient, { lines, printed }: Run): Check[] {
  const shown = lines.some(({ content }) => content?.includes(reason));
  return [
    ['a shut gate stops it at its prompt', !printed.includes('Done.')],
    ['before it has cost anything', lines.at(-1)?.total_cost_usd === 0],
    ['and shows why', shown],
    ['and the log says so', typesOf(client.eventsOf(sessionOf(lines))).includes('AgentStopped')],
  ];
}

function checkTool(client: HookedClient, { lines, printed }: Run): Check[] {
  const results = JSON.stringify(lines.filter(({ type }) => type === 'user'));
  const events = typesOf(client.eventsOf(sessionOf(lines)));
  return [
    ['a gate that shuts later stops it at its tool', !printed.includes('Done.')],
    ['which does not run', !results.includes('"content":"hello"')],
    ['and the result of the tool says why', results.includes(reason)],
    ['and the log says so, too', events.includes('TurnBegan,AgentStopped')],
  ];
}

function checkClosed({ lines, printed }: Run): Check[] {
  const shown = lines.some(({ content }) => content?.includes('--hooks open'));
  return [
    ['closed, without a server it stops', !printed.includes('Done.')],
    ['and says how to go on', shown],
  ];
}

function sessionOf(lines: readonly Line[]): string {
  return lines.find(({ session_id: id }) => id !== undefined)?.session_id ?? '';
}

interface Told {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

function typesOf(events: readonly Told[]): string {
  return events.map(({ type }) => type).join();
}

class HookedClient {
  /** Milliseconds that the client itself waited for each hook, by kind. */
  readonly waits: Record<'http' | 'command', number[]> = { http: [], command: [] };
  readonly work: string;
  private runs = 0;

  constructor(
    private readonly program: string,
    private readonly home: string,
    private readonly environment: Readonly<Record<string, string>>,
  ) {
    this.work = join(home, 'work');
    mkdirSync(join(home, '.claude'));
    // As somebody may have it, with a hook of their own that has to stay.
    const theirs = [{ hooks: [{ type: 'command', command: 'true' }] }];
    writeFileSync(
      join(home, '.claude', 'settings.json'),
      JSON.stringify({ hooks: { Stop: theirs } }),
      { mode: 0o600 },
    );
  }

  connect(...more: readonly string[]): void {
    const ctl = join(projectRoot(), 'apps/tri-agent-ctl/bin.cjs');
    const argv = [ctl, 'connect', 'claude', '--write', ...more];
    execFileSync(process.execPath, argv, { env: { ...process.env, ...this.environment } });
  }

  async run(): Promise<Run> {
    this.runs += 1;
    const debug = join(this.home, `debug-${this.runs}.log`);
    const argv = ['-p', 'Do some work.', '--output-format', 'stream-json', '--verbose'];
    const model = ['--model', 'claude-sonnet-4-5-20250929', '--dangerously-skip-permissions'];
    const child = spawn(this.program, [...argv, ...model, '--debug-file', debug], {
      cwd: this.work,
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
    let printed = '';
    for await (const piece of child.stdout) printed += String(piece);
    this.count(readFileSync(debug, 'utf8'));
    const lines = printed.trim().split('\n').map(lineOf);
    return { pid: child.pid ?? -1, lines, printed };
  }

  /** What its own notes say of the time of hooks. */
  private count(notes: string): void {
    let asked = Number.NaN;
    for (const note of notes.split('\n')) {
      const at = Date.parse(note.slice(0, 24));
      if (note.includes('HTTP hook POST to')) asked = at;
      if (note.includes('HTTP hook response status')) this.waits.http.push(at - asked);
      const command = /hook claude-code .*finished with status \d+ \((\d+)ms\)/.exec(note)?.[1];
      if (command !== undefined) this.waits.command.push(Number(command));
    }
  }

  eventsOf(sessionId: string): Told[] {
    const log = new Database(join(this.home, 'tri-agent', 'events.db'), { readonly: true });
    try {
      const rows = log
        .prepare('SELECT type, data FROM events WHERE stream = ? ORDER BY version')
        .all(`session-claude-code-${sessionId}`) as { type: string; data: string }[];
      const ofHooks = /^(AgentProcessSeen|Turn|AgentStopped|SessionEnded)/;
      return rows
        .filter(({ type }) => ofHooks.test(type))
        .map(({ type, data }) => ({ type, data: JSON.parse(data) as Told['data'] }));
    } finally {
      log.close();
    }
  }
}

function lineOf(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { type: 'text', content: text };
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { runCli } from './cli-process.js';
import { TemporaryHomes, waitUntil } from './support.js';

/** The built server and command line, with a program in the place of Claude Code. */

const homes = new TemporaryHomes();
const agents: ChildProcess[] = [];
let server: ServerProcess;
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.kill('SIGKILL');
  await server.stop();
});
afterAll(() => {
  homes.removeAll();
});

interface Hook {
  readonly command?: string;
  readonly url?: string;
  readonly headers?: Record<string, string>;
}
type Hooks = Readonly<Record<string, readonly { readonly hooks: readonly Hook[] }[]>>;

async function connected(...more: string[]): Promise<Hooks> {
  const folder = join(server.home, 'claude');
  const argv = ['connect', 'claude', '--write', ...more];
  expect(await runCli(server, argv, { CLAUDE_CONFIG_DIR: folder })).toMatchObject({ exit: 0 });
  const text = readFileSync(join(folder, 'settings.json'), 'utf8');
  return (JSON.parse(text) as { hooks: Hooks }).hooks;
}

const content = 'a prompt that nobody may keep';
const given = (name: string): string =>
  JSON.stringify({
    ...{ session_id: 's1', cwd: '/home/dev/shop', hook_event_name: name, source: 'startup' },
    ...{ prompt: content, tool_input: { content } },
  });

/** Runs a hook's command through a shell, as an agent does, tells how that ended, and stays. */
const agentScript = `
  const [command, given] = process.argv.slice(1);
  const { spawn } = require('node:child_process');
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'inherit', 'inherit'] });
  child.stdin.end(given);
  child.on('exit', (code) => process.send(code));
  setTimeout(() => process.exit(), 300_000);
`;

/** @returns the agent and what its hook exited with. */
async function agentWith(hooks: Hooks, name: string) {
  const command = hooks[name]?.at(-1)?.hooks[0]?.command ?? '';
  const agent = spawn(process.execPath, ['-e', agentScript, '--', command, given(name)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  agents.push(agent);
  let err = '';
  agent.stderr?.on('data', (bytes: Buffer) => (err += bytes.toString()));
  const [exit] = (await once(agent, 'message')) as [number];
  return { agent, exit, err };
}

async function pids(): Promise<number[]> {
  const { items } = (await (await server.get('/api/v1/agent-processes')).json()) as {
    items: { pid: number }[];
  };
  return items.map(({ pid }) => pid);
}

async function until(wanted: readonly number[]): Promise<void> {
  await waitUntil(`the agents are ${wanted.join()}`, async () => {
    const found = await pids();
    return found.length === wanted.length && found.every((pid) => wanted.includes(pid));
  });
}

describe('An agent that a person starts', () => {
  test('is known by its process, also after the server was killed, for as long as it runs', async () => {
    const home = homes.create();
    server = await ServerProcess.start({ home });
    const { agent, exit } = await agentWith(await connected(), 'SessionStart');
    expect(exit).toBe(0);
    await until([agent.pid ?? -1]);
    await server.stop('SIGKILL');
    server = await ServerProcess.start({ home });
    await until([agent.pid ?? -1]);
    agent.kill('SIGKILL');
    await until([]);
  });

  test('opens with its token what is for hooks alone, and nothing of what it says is on the disk', async () => {
    const home = homes.create();
    server = await ServerProcess.start({ home });
    expect(statSync(join(home, 'hooks-token')).mode & 0o777).toBe(0o600);
    const hooks = await connected();
    for (const name of ['UserPromptSubmit', 'PreToolUse', 'Stop', 'StopFailure', 'SessionEnd']) {
      const { url = '', headers = {} } = hooks[name]?.[0]?.hooks[0] ?? {};
      const init = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } };
      const answer = await fetch(url, { ...init, body: given(name) });
      expect([answer.status, await answer.json()]).toEqual([200, {}]);
      expect((await fetch(`${server.url}/api/v1/sessions`, { headers })).status).toBe(401);
    }
    await server.stop();
    const files = readdirSync(home, { recursive: true, encoding: 'utf8' });
    const kept = files.filter((file) => statSync(join(home, file)).isFile());
    expect(kept).toContain('events.db');
    for (const file of kept) {
      expect(readFileSync(join(home, file), 'latin1')).not.toContain(content);
    }
  });

  test('is stopped by hooks that are closed when there is no server, and told how to go on', async () => {
    const home = homes.create();
    server = await ServerProcess.start({ home });
    const hooks = await connected('--hooks', 'closed');
    expect(await agentWith(hooks, 'UserPromptSubmit')).toMatchObject({ exit: 0, err: '' });
    await server.stop();
    const { exit, err } = await agentWith(hooks, 'UserPromptSubmit');
    expect(exit).toBe(2);
    expect(err).toContain('--hooks open');
    expect(await agentWith(hooks, 'SessionStart')).toMatchObject({ exit: 0, err: '' });
  });
});

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { HookedClaude, sessionOf, type Run, type Told } from './hooked-claude.js';
import { hookCosts } from './hooks-cost.js';
import type { Installed } from './real-agent.js';
import { checkKill } from './real-claude-kill.js';
import { setBudget, standsAt, tellBudgets, type Check } from './real-claude-budgets.js';
import { waitingPrompt } from './scripted-api.js';
import { freePort } from './support.js';

/**
 * A real Claude Code that a person starts, connected by `connect claude --write`, under budgets: its process
 * is registered, it stops where a budget shuts, and is ended by one that trips.
 */

/** Prints what was seen as JSON. @returns whether all of it is as it has to be. */
export async function checkClaudeHooks(installed: Installed): Promise<boolean> {
  const home = join(installed.folder, 'hooked');
  mkdirSync(join(home, 'work'), { recursive: true });
  const ports = {
    TRI_AGENT_HTTP_PORT: String(await freePort()),
    TRI_AGENT_OTLP_HTTP_PORT: String(await freePort()),
    TRI_AGENT_OTLP_GRPC_PORT: '0',
  };
  const environment = {
    ...installed.environment,
    ...{ HOME: home, CLAUDE_CONFIG_DIR: join(home, '.claude') },
    ...{ TRI_AGENT_HOME: join(home, 'tri-agent'), ...ports },
  };
  const server = await ServerProcess.start({
    home: environment.TRI_AGENT_HOME,
    environment: ports,
  });
  const { url } = server;
  const client = new HookedClaude(installed.program, home, { ...environment, TRI_AGENT_URL: url });
  const checks: Check[] = [];
  let [costs, kill]: unknown[] = [];
  try {
    client.connect();
    checks.push(...checkOpen(client, await client.run()));
    checks.push(...(await checkPrompt(client, server)));
    checks.push(...(await checkTool(client, server)));
    const killed = await checkKill(client, server);
    checks.push(...killed.checks);
    kill = killed.measured;
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
  console.log(JSON.stringify({ hooks: { checks: checks.length, failed, kill, agentMs, costs } }));
  return failed.length === 0;
}

function checkOpen(client: HookedClaude, { pid, lines, printed }: Run): Check[] {
  const events = client.eventsOf(sessionOf(lines));
  const seen = events.find(({ type }) => type === 'AgentProcessSeen');
  return [
    ['without a budget it works', printed.includes('Done.')],
    ['its process is registered', seen?.data['pid'] === pid],
    ['its folder is registered', seen?.data['directory'] === client.work],
    ['its turn begins and ends', typesOf(events).includes('TurnBegan,TurnEnded,SessionEnded')],
  ];
}

/** What the first run has spent is so much of the limit that the budget of all shuts. */
async function checkPrompt(client: HookedClaude, server: ServerProcess): Promise<Check[]> {
  await setBudget(server, 'house', 'all', '0.04');
  await standsAt(server, 'house', 'gate');
  const { lines, printed } = await client.run();
  await tellBudgets(server, 'remove', 'house', '--reason', 'Shown.');
  const [stopped] = stopsOf(client, sessionOf(lines));
  const reason = String(stopped?.data['reason']);
  return [
    ['a shut budget of all stops it at its prompt', !printed.includes('Done.')],
    ['before it has cost anything', lines.at(-1)?.total_cost_usd === 0],
    ['and the log says so', stopped?.data['before'] === 'prompt'],
    ['by the name of the budget', reason.includes('house')],
    ['and it shows why', lines.some(({ content }) => content?.includes(reason))],
  ];
}

/** While its first tool runs, what it spent reaches its own budget; the second finds it shut. */
async function checkTool(client: HookedClaude, server: ServerProcess): Promise<Check[]> {
  const [sessionId, file] = [randomUUID(), join(client.work, 'go-on')];
  await setBudget(server, 'task', `session:${sessionId}`, '0.02');
  const { ended } = client.begin(waitingPrompt(file), '--session-id', sessionId);
  await standsAt(server, 'task', 'gate');
  writeFileSync(file, '');
  const { lines, printed } = await ended;
  const results = JSON.stringify(lines.filter(({ type }) => type === 'user'));
  const [stopped] = stopsOf(client, sessionId);
  return [
    ['a budget of its session stops it at its next tool', !printed.includes('Done.')],
    ['which does not run', !results.includes('"content":"hello"')],
    ['and the log says so, too', stopped?.data['before'] === 'tool'],
    ['and the result of the tool says why', results.includes(String(stopped?.data['reason']))],
  ];
}

function checkClosed({ lines, printed }: Run): Check[] {
  const shown = lines.some(({ content }) => content?.includes('--hooks open'));
  return [
    ['closed, without a server it stops', !printed.includes('Done.')],
    ['and says how to go on', shown],
  ];
}

function stopsOf(client: HookedClaude, sessionId: string): Told[] {
  return client.eventsOf(sessionId).filter(({ type }) => type === 'AgentStopped');
}

/** Of those that hooks tell of. */
function typesOf(events: readonly Told[]): string {
  const ofHooks = /^(Turn|AgentStopped|SessionEnded)/;
  return events
    .map(({ type }) => type)
    .filter((type) => ofHooks.test(type))
    .join();
}

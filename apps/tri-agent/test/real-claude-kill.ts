import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { treeOf } from '#platform/process-trees.js';
import { sameProcess, type HostProcess } from '#platform/processes.js';
import type { ServerProcess } from '#platform/server-process.js';
import type { Begun, HookedClaude, Run, Told } from './hooked-claude.js';
import { setBudget, standsAt, tellBudgets, type Check } from './real-claude-budgets.js';
import { restedAnswer, slowCommand, slowPrompt } from './scripted-api.js';
import { waitUntil } from './support.js';

/** In milliseconds, from when the usage was in the log to when each of these was. */
interface Measured {
  readonly usageToTripMs: number;
  readonly usageToOrderMs: number;
  /** To when the last of its processes was seen gone. */
  readonly usageToGoneMs: number;
  readonly usageToConfirmedMs: number;
}

interface Killed {
  readonly sessionId: string;
  readonly budget: string;
  /** The client, and what it has started. */
  readonly tree: readonly HostProcess[];
  readonly goneAtMs: number;
}

const stepless = ['--warn', 'none', '--gate', 'none', '--pause', 'none'];

/**
 * A budget that trips while a client which a person began is in a long tool ends that client and its tool,
 * and leaves another one alone; once it is raised and reset, the conversation goes on.
 */
export async function checkKill(
  client: HookedClaude,
  server: ServerProcess,
): Promise<{ readonly checks: readonly Check[]; readonly measured: Measured }> {
  const neighbour = client.begin(slowPrompt);
  try {
    const others = await atWork(neighbour);
    if (others === undefined) throw new Error('The neighbour ended by itself.');
    const killed = await trip(client, server);
    const { sessionId, budget, tree } = killed;
    await waitUntil('the kill is confirmed', () => told(client, killed, 'KillConfirmed'));
    const left = tree.filter(sameProcess);
    const isAlone = others.every(sameProcess);
    const confirmed = client.eventsOf(sessionId).find(({ type }) => type === 'KillConfirmed');
    const shut = await client.run(restPrompt, '--resume', sessionId);
    await tellBudgets(server, 'raise', budget, '--limit-usd', '5', '--reason', 'It is worth it.');
    await tellBudgets(server, 'reset', budget, '--reason', 'It is worth it.');
    await standsAt(server, budget, 'open');
    const open = await client.run(restPrompt, '--resume', sessionId);
    const checks: Check[] = [
      ['a tripped budget ends a client in its tool, and the tool', left.length === 0],
      ['and the log confirms it', confirmed?.data['ended'] === tree.length],
      ['of the same program', others[0]?.arguments[0] === tree[0]?.arguments[0]],
      ['another client and its tool run on', isAlone],
      ['a trip keeps the conversation shut', !shut.printed.includes(restedAnswer)],
      ['raised and reset, it goes on', open.printed.includes(restedAnswer)],
      ['as the same conversation', open.lines.every(isOf(sessionId))],
      ['whose cost is what the client says', await costs(server, sessionId, open)],
    ];
    return { checks, measured: measure(client, killed) };
  } finally {
    neighbour.stop();
    await neighbour.ended;
  }
}

const restPrompt = 'You were interrupted. Carry on.';

function isOf(sessionId: string) {
  return ({ session_id: id }: { readonly session_id?: string }): boolean =>
    id === undefined || id === sessionId;
}

/** Of the whole conversation, with what was ended. */
async function costs(server: ServerProcess, sessionId: string, { lines }: Run): Promise<boolean> {
  const told = lines.at(-1)?.total_cost_usd?.toFixed(9);
  return waitUntil('the session costs what the client says', async () => {
    const answer = await server.get(`/api/v1/sessions/${sessionId}`);
    return ((await answer.json()) as { costUsd: string }).costUsd === told;
  }).then(
    () => true,
    () => false,
  );
}

/** A trip can be faster than the tool is begun; then it is done again. */
async function trip(client: HookedClaude, server: ServerProcess): Promise<Killed> {
  for (let tries = 1; tries <= 5; tries += 1) {
    const [sessionId, budget] = [randomUUID(), `spent-${tries}`];
    await setBudget(server, budget, `session:${sessionId}`, '0.01', ...stepless);
    const begun = client.begin(slowPrompt, '--session-id', sessionId);
    const tree = await atWork(begun);
    if (tree === undefined) continue;
    while (tree.some(sameProcess)) await delay(2);
    return { sessionId, budget, tree, goneAtMs: Date.now() };
  }
  throw new Error('The client was always ended before its tool was seen.');
}

/** Its tree with the slow tool in it; undefined when it ended before. */
async function atWork({ pid }: Begun): Promise<readonly HostProcess[] | undefined> {
  let tree: readonly HostProcess[] = [];
  const isSlow = (it: HostProcess): boolean => it.arguments.join(' ') === slowCommand;
  await waitUntil('its tool runs', async () => {
    tree = await treeOf(pid);
    return tree.length === 0 || tree.some(isSlow);
  });
  return tree.length === 0 ? undefined : tree;
}

function measure(client: HookedClaude, killed: Killed): Measured {
  const { sessionId, budget, goneAtMs } = killed;
  const at = (type: string, events: readonly Told[]): number =>
    events.find((it) => it.type === type)?.recordedAtMs ?? Number.NaN;
  const ofSession = client.eventsOf(sessionId);
  const usedAtMs = at('UsageRecorded', ofSession);
  return {
    usageToTripMs: at('BudgetTripped', client.eventsOf(budget)) - usedAtMs,
    usageToOrderMs: at('KillOrdered', ofSession) - usedAtMs,
    usageToGoneMs: goneAtMs - usedAtMs,
    usageToConfirmedMs: at('KillConfirmed', ofSession) - usedAtMs,
  };
}

function told(client: HookedClaude, { sessionId }: Killed, type: string): boolean {
  return client.eventsOf(sessionId).some((it) => it.type === type);
}

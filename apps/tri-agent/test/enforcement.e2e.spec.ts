import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { KillItem } from '#libs/kills/kills.shapes.js';
import type { HostProcess } from '#platform/processes.js';
import { polite, runs, StartedProcesses } from '#platform/started-processes.spec-helper.js';
import { runCli } from './cli-process.js';
import { dispatchEventsIn, eventsOf } from './dispatch-audit.js';
import { logsOf, post } from './otlp-sender.js';
import { waitUntil } from './support.js';
import { TripRig, type Spender } from './trip-rig.js';

/** Budgets that hold: over the built server, a real worker and real processes. */

const rig = new TripRig();
const started = new StartedProcesses();
beforeAll(() => rig.start(3));
afterAll(async () => {
  started.end();
  await rig.stop();
});

interface Shown {
  readonly state: string;
  readonly sessionId: string | null;
}
const taskOf = async (taskId: string) => (await rig.operator.get<Shown>(`tasks/${taskId}`)).body;
const isTask = (taskId: string, state: string) =>
  waitUntil(`task ${taskId} is ${state}`, async () => (await taskOf(taskId)).state === state);
/** The sessions of its attempts, in order. */
const sessionsOf = (taskId: string) =>
  eventsOf(dispatchEventsIn(rig.home), 'ProgressReported')
    .filter((it) => it.taskId === taskId && it.sessionId !== null)
    .map(({ sessionId }) => sessionId);
const change = (team: string, verb: 'raise' | 'reset', more: object = {}) =>
  rig.post(`budgets/${team}/${verb}`, { reason: 'It was looked at.', ...more });

describe("A worker's agent", () => {
  test('that spends its budget is killed with all that it started, and can go on after a reset', async () => {
    const spender = await rig.begin({ heedsTerm: true });
    await rig.spend(spender, randomUUID());
    await rig.untilGone(spender, 10_000);
    await rig.timesOf(spender);
    await isTask(spender.taskId, 'paused');
    const { body: kills } = await rig.operator.get<{ items: object[] }>('kills');
    expect(kills.items[0]).toMatchObject({
      ...{ target: { taskId: spender.taskId }, budgetId: spender.team },
      outcome: { is: 'confirmed' },
    });
    const { body: refused } = await rig.operator.post(`budgets/${spender.team}/reset`, {
      reason: 'Go on.',
    });
    expect(refused).toMatchObject({ code: 'BUDGET_STILL_SPENT' });
    await change(spender.team, 'raise', { limitUsd: '5' });
    expect((await taskOf(spender.taskId)).state).toBe('paused');
    await change(spender.team, 'reset');
    await isTask(spender.taskId, 'completed');
    expect(new Set(sessionsOf(spender.taskId)).size).toBe(1);
  });

  test('near its limit is paused, and goes on in its conversation when the limit is raised', async () => {
    const spender = await rig.begin({ heedsTerm: true });
    await rig.spend(spender, randomUUID(), 0.47);
    await isTask(spender.taskId, 'paused');
    await rig.untilGone(spender, 10_000);
    await change(spender.team, 'raise', { limitUsd: '5' });
    await isTask(spender.taskId, 'completed');
    expect(new Set(sessionsOf(spender.taskId)).size).toBe(1);
    const types = dispatchEventsIn(rig.home)
      .filter(({ data }) => 'taskId' in data && data.taskId === spender.taskId)
      .map(({ type }) => type);
    expect(types).toContain('AttemptHaltOrdered');
    expect(types.filter((type) => type === 'AttemptFailed')).toEqual([]);
  });

  test('whose task may cost so much is held to that, for as long as the task is open', async () => {
    const spender = await rig.begin({ heedsTerm: true, maxCostUsd: '0.80' });
    const budgetId = `task-${spender.taskId}`;
    const shown = async () => (await rig.operator.get<object>(`budgets/${budgetId}`)).body;
    await waitUntil('the task has a budget', async () => 'standing' in (await shown()));
    expect(await shown()).toMatchObject({ origin: 'task', limitUsd: '0.800000000' });
    await rig.spend(spender, randomUUID(), 0.79);
    await waitUntil('it counts', async () => JSON.stringify(await shown()).includes('0.79'));
    expect(spender.processes.every(runs)).toBe(true);
    await rig.spend(spender, randomUUID(), 0.02);
    await rig.untilGone(spender, 10_000);
    await isTask(spender.taskId, 'paused');
    await change(budgetId, 'raise', { limitUsd: '2' });
    await change(budgetId, 'reset');
    await isTask(spender.taskId, 'completed');
    await waitUntil('its budget is gone', async () => !('standing' in (await shown())));
  });

  test('is killed by the command line, which sees it end and says how to go on', async () => {
    const spender = await rig.begin({ heedsTerm: true });
    const argv = ['kill', 'task', spender.taskId];
    const dry = await runCli(rig.server, [...argv, '--dry-run']);
    expect(dry.exit).toBe(0);
    for (const { pid } of spender.processes) expect(dry.out).toContain(` ${pid} `);
    expect(spender.processes.every(runs)).toBe(true);
    const { exit, out } = await runCli(rig.server, [...argv, '--yes', '--reason', 'Enough.']);
    expect([exit, out]).toEqual([0, expect.stringContaining('ended after')]);
    expect(spender.processes.some(runs)).toBe(false);
    const { body } = await rig.operator.get<{ sentences?: string[] }>(
      `tasks/${spender.taskId}/why`,
    );
    expect(JSON.stringify(body)).toContain('Enough.');
    expect((await runCli(rig.server, [...argv, '--yes'])).exit).toBe(1);
    expect((await runCli(rig.server, ['tasks', 'resume', spender.taskId])).exit).toBe(0);
    await isTask(spender.taskId, 'completed');
  });
});

describe('An agent that a person began', () => {
  const hook = async (sessionId: string, name: string, more: object = {}) => {
    const body = { session_id: sessionId, hook_event_name: name, cwd: '/', ...more };
    const { status, body: answer } = await rig.operator.post<object>('hooks/claude-code', body);
    expect(status).toBe(200);
    return answer;
  };

  /** Registered as its SessionStart hook does. */
  async function register({ pid, startMark }: HostProcess): Promise<string> {
    const sessionId = randomUUID();
    const claim = { tri_agent: { host: hostname(), pid, startMark } };
    await hook(sessionId, 'SessionStart', { source: 'startup', ...claim });
    return sessionId;
  }

  async function spend(spender: Pick<Spender, 'sessionId'>, costUsd: number): Promise<void> {
    const record = {
      ...{ 'event.name': 'api_request', 'session.id': spender.sessionId },
      ...{ model: 'claude-sonnet-4-5-20250929', request_id: randomUUID(), cost_usd: costUsd },
      ...{ input_tokens: 10, output_tokens: 10, duration_ms: 900 },
    };
    const { status } = await post(rig.server, logsOf('claude-code', [record]), 'json');
    expect(status).toBe(200);
  }

  const ask = (sessionId: string) => hook(sessionId, 'UserPromptSubmit', { prompt: 'Go on.' });

  test('is stopped before its next step, then killed, stays so across SIGKILL, and nobody else is', async () => {
    const [stranger] = await started.start(polite);
    const [agent, child] = await started.start(
      `const child = begin("console.log('up');", { detached: true });
       told(child).then(() => pids(child.pid));`,
    );
    const sessionId = await register(agent!);
    const other = await register(stranger!);
    await rig.put(`budgets/person`, {
      ...{ scope: `session:${sessionId}`, window: 'total', limitUsd: '1' },
    });
    expect(await ask(sessionId)).toEqual({});
    await spend({ sessionId }, 0.8);
    await waitUntil('the gate is shut', async () => 'stopReason' in (await ask(sessionId)));
    expect(await ask(other)).toEqual({});
    expect([agent!, child!].every(runs)).toBe(true);
    await spend({ sessionId }, 0.3);
    await waitUntil('the tree is gone', () => ![agent!, child!].some(runs));
    await rig.killServer();
    await rig.startServer();
    expect(await ask(sessionId)).toMatchObject({
      ...{ continue: false, stopReason: expect.stringContaining('tripped') as string },
    });
    await change('person', 'raise', { limitUsd: '9' });
    await change('person', 'reset');
    expect(await ask(sessionId)).toEqual({});
    expect(runs(stranger!)).toBe(true);
    // Confirmed before the crash, or by the server that came back.
    await waitUntil('the kill is confirmed', async () => {
      const { body } = await rig.operator.get<{ items: KillItem[] }>('kills');
      const kill = body.items.find(({ target }) => target.sessionId === sessionId);
      return kill?.outcome.is === 'confirmed';
    });
  });

  test('is killed by its session, where that is wanted', async () => {
    const [agent] = await started.start(polite);
    const sessionId = await register(agent!);
    const { exit, out } = await runCli(rig.server, [
      'kill',
      'session',
      sessionId,
      '--yes',
      '--json',
    ]);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ kills: [{ outcome: { is: 'confirmed', ended: 1 } }] });
    expect(runs(agent!)).toBe(false);
  });
});

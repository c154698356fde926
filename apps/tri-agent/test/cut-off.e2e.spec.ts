import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listProcesses } from '#platform/processes.js';
import { ServerProcess } from '#platform/server-process.js';
import { installFakeAgents, type FakePrograms } from '../../tri-agent-worker/test/fake-agents.js';
import { promptOf, type Script } from '../../tri-agent-worker/test/fake-script.js';
import { DispatchClient } from './dispatch-client.js';
import { TcpGate } from './tcp-gate.js';
import { TemporaryHomes, waitUntil } from './support.js';
import { WorkerProgram } from './worker-program.js';

/** Agents of workers that hear of no server, through the built programs. */

const homes = new TemporaryHomes();
let folder: string;
let programs: FakePrograms;
let server: ServerProcess;
let operator: DispatchClient;
const endings: (() => Promise<unknown>)[] = [];

beforeAll(() => {
  folder = homes.create();
  mkdirSync(join(folder, 'bin'));
  programs = installFakeAgents(join(folder, 'bin'));
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});
afterAll(() => {
  homes.removeAll();
});

/** A million tokens of input cost three dollars. */
const model = 'claude-sonnet-4-5';

async function startServer(leaseMs: number): Promise<void> {
  const environment = { TRI_AGENT_LEASE_MS: String(leaseMs) };
  server = await ServerProcess.start({ home: homes.create(), environment });
  operator = DispatchClient.operatorOf(server);
  endings.push(() => {
    process.kill(server.pid, 'SIGCONT');
    return server.stop();
  });
}

async function startWorker(url: string, name: string): Promise<WorkerProgram> {
  const environment = { ...programs, TRI_AGENT_URL: url };
  const args = ['--name', name, '--slots', '2', '--root', folder];
  const worker = await WorkerProgram.start(server, environment, ...args);
  endings.push(() => worker.stop());
  return worker;
}

async function limitTo(team: string, limitUsd: string): Promise<void> {
  const { status } = await fetch(`${server.url}/api/v1/budgets/${team}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${operator.token}` },
    body: JSON.stringify({ scope: `team:${team}`, window: 'total', limitUsd }),
  });
  expect(status).toBeLessThan(300);
}

interface Shown {
  readonly state: string;
  readonly sessionId: string | null;
  readonly reason: string | null;
  readonly halt: { readonly holder: string } | null;
  readonly attemptList: readonly {
    readonly attemptId: string;
    readonly end: string | null;
    readonly sessionId: string | null;
  }[];
}

const shown = async (taskId: string): Promise<Shown> =>
  (await operator.get<Shown>(`tasks/${taskId}`)).body;
const becomes = (taskId: string, state: string): Promise<void> =>
  waitUntil(`${taskId} is ${state}`, async () => (await shown(taskId)).state === state, 60_000);

async function isGone(taskId: string): Promise<void> {
  const runs = async () => (await listProcesses()).some((it) => it.taskId === taskId);
  await waitUntil(`no agent works on ${taskId}`, async () => !(await runs()), 60_000);
}

/** Resolves once its agent is at work, and its session is known. */
async function begin(steps: Script, task: object = {}): Promise<string> {
  const wish = { agent: 'claude-code', directory: folder, retries: 0, ...task };
  const taskId = await operator.submit({ prompt: promptOf(steps), ...wish });
  await waitUntil('its session is known', async () => (await shown(taskId)).sessionId !== null);
  return taskId;
}

/** @returns how many requests it has made */
const requestsIn = (file: string): number =>
  existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;

describe('A worker whose server does not answer', () => {
  test('ends the agent whose own lines reach what its budget had left, and no other', async () => {
    await startServer(15_000);
    await limitTo('rich', '1000');
    await limitTo('poor', '3');
    await startWorker(server.url, 'w');
    // Each request costs a dollar and a half.
    const file = join(folder, 'poor.requests');
    const spending = { do: 'spend', inputTokens: 500_000, everyMs: 100 } as const;
    const poor = await begin([{ ...spending, file }], { team: 'poor', model });
    const rich = await begin([{ ...spending, file: join(folder, 'rich.requests') }], {
      team: 'rich',
      model,
    });
    await waitUntil('more than its budget is spent', () => requestsIn(file) > 10);
    const { state, sessionId } = await shown(poor);
    expect(state).toBe('running');

    process.kill(server.pid, 'SIGSTOP');
    await isGone(poor);
    process.kill(server.pid, 'SIGCONT');

    await becomes(poor, 'paused');
    const told = await shown(poor);
    expect(told.reason).toMatch(/of the \$3\.00 that its budgets had left\.$/);
    expect(told.halt?.holder).toMatch(/^worker:/);
    // On a slow host its lease may have ended it, and then it goes on by itself.
    expect((await shown(rich)).halt).toBeNull();
    await operator.post(`tasks/${poor}/resume`);
    await becomes(poor, 'completed');
    expect((await shown(poor)).attemptList).toMatchObject([
      { end: 'halted', sessionId },
      { end: 'completed', sessionId },
    ]);
  }, 120_000);

  test.each(['claude-code', 'codex', 'gemini'])(
    'ends an agent of %s with its lease, and carries it on by itself when the server is back',
    async (agent) => {
      await startServer(3_000);
      await startWorker(server.url, 'w');
      const taskId = await begin([{ do: 'hang' }], { agent });
      process.kill(server.pid, 'SIGSTOP');
      await isGone(taskId);
      process.kill(server.pid, 'SIGCONT');
      await becomes(taskId, 'completed');
      const { sessionId, attemptList } = await shown(taskId);
      expect(attemptList).toMatchObject([
        { end: 'halted', sessionId },
        { end: 'completed', sessionId },
      ]);
    },
    120_000,
  );
});

describe('A worker that is cut off while others are not', () => {
  test('ends its agent, whose task is with another by then, and keeps its work on a branch', async () => {
    const repository = join(folder, 'shop');
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
    git('init', '--quiet', repository);
    const author = ['-c', 'user.name=t', '-c', 'user.email=t@localhost'];
    git('-C', repository, ...author, 'commit', '--quiet', '--allow-empty', '-m', 'x');
    await startServer(3_000);
    const gate = await TcpGate.start(server.ports.http ?? 0);
    endings.push(() => gate.stop());
    const cutOff = await startWorker(gate.url, 'cut-off');
    const steps: Script = [
      {
        do: 'once',
        file: join(folder, 'first-time'),
        steps: [{ do: 'write', file: 'begun.txt', text: 'here' }, { do: 'hang' }],
      },
      { do: 'succeed', text: 'Done by another.' },
    ];
    const taskId = await begin(steps, { directory: undefined, repository, retries: 1 });
    const { sessionId, attemptList } = await shown(taskId);
    const { attemptId = '' } = attemptList[0] ?? {};
    gate.shut();
    await isGone(taskId);
    await startWorker(server.url, 'other');
    await becomes(taskId, 'completed');
    gate.open();
    const saved = () => /on the branch (\S+) of/.exec(cutOff.printed)?.[1];
    await waitUntil('its work is on a branch', () => saved() !== undefined, 60_000);
    const branch = saved() ?? '';
    expect(branch).toContain(attemptId.slice(-12));
    expect(git('-C', repository, 'show', `${branch}:begun.txt`)).toBe('here');
    expect(cutOff.printed).toContain('as long as its lease');
    expect((await shown(taskId)).attemptList).toMatchObject([
      { end: 'lease-expired', sessionId },
      { end: 'completed' },
    ]);
  }, 120_000);
});

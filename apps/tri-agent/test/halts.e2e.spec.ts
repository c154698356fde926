import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { listProcesses } from '#platform/processes.js';
import { ServerProcess } from '#platform/server-process.js';
import { installFakeAgents, type FakePrograms } from '../../tri-agent-worker/test/fake-agents.js';
import { promptOf, type Script } from '../../tri-agent-worker/test/fake-script.js';
import { DispatchClient } from './dispatch-client.js';
import { TemporaryHomes, waitUntil } from './support.js';
import { WorkerProgram } from './worker-program.js';

/** Work that is stopped and carried on, through the built server, worker and agents that are processes. */

const homes = new TemporaryHomes();
let server: ServerProcess;
let operator: DispatchClient;
let folder: string;
let programs: FakePrograms;
const workers: WorkerProgram[] = [];

beforeAll(async () => {
  server = await ServerProcess.start({ home: homes.create() });
  operator = DispatchClient.operatorOf(server);
  folder = homes.create();
  mkdirSync(join(folder, 'bin'));
  programs = installFakeAgents(join(folder, 'bin'));
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
});
afterAll(async () => {
  await server.stop();
  homes.removeAll();
});

async function startWorker(...args: string[]): Promise<WorkerProgram> {
  const worker = await WorkerProgram.start(server, programs, '--root', folder, ...args);
  workers.push(worker);
  return worker;
}

interface Shown {
  readonly state: string;
  readonly attempts: number;
  readonly sessionId: string | null;
  readonly conversation: { readonly sessionId: string; readonly attemptId: string } | null;
  readonly attemptList: readonly {
    readonly attemptId: string;
    readonly end: string | null;
    readonly sessionId: string | null;
  }[];
}

const shown = async (taskId: string): Promise<Shown> =>
  (await operator.get<Shown>(`tasks/${taskId}`)).body;
const becomes = (taskId: string, state: string): Promise<void> =>
  waitUntil(`${taskId} is ${state}`, async () => (await shown(taskId)).state === state, 30_000);
async function sessionOf(taskId: string): Promise<string> {
  await waitUntil('its session is known', async () => (await shown(taskId)).sessionId !== null);
  return (await shown(taskId)).sessionId ?? '';
}

async function processesOf(taskId: string): Promise<number[]> {
  const ids = new Set((await shown(taskId)).attemptList.map(({ attemptId }) => attemptId));
  return (await listProcesses()).filter((it) => ids.has(it.attemptId ?? '')).map(({ pid }) => pid);
}

const submit = (steps: Script, task: object = {}): Promise<string> =>
  operator.submit({ prompt: promptOf(steps), agent: 'claude-code', directory: folder, ...task });

const talking: Script = [
  { do: 'write', file: 'begun.txt', text: 'here' },
  { do: 'talk', everyMs: 50 },
];

describe.each(['claude-code', 'codex', 'gemini'])('A task for %s', (agent) => {
  test('is paused at the next pause in its work, and carries on in the same session', async () => {
    await startWorker();
    const taskId = await submit(talking, { agent, retries: 0 });
    const session = await sessionOf(taskId);
    await operator.post(`tasks/${taskId}/pause`, { reason: 'lunch' });
    await becomes(taskId, 'paused');
    expect(await processesOf(taskId)).toEqual([]);
    expect((await shown(taskId)).conversation).toMatchObject({ sessionId: session });
    await operator.post(`tasks/${taskId}/resume`);
    await becomes(taskId, 'completed');
    expect((await shown(taskId)).attemptList).toMatchObject([
      { end: 'halted', sessionId: session },
      { end: 'completed', sessionId: session },
    ]);
  });

  test('is killed with all that it has started, and carries on in the same session', async () => {
    await startWorker();
    const child = join(folder, `${agent}.pid`);
    const taskId = await submit(
      [{ do: 'ignore-term' }, { do: 'spawn', file: child }, { do: 'hang' }],
      { agent, retries: 0 },
    );
    await waitUntil('it has started a process', () => existsSync(child));
    const session = await sessionOf(taskId);
    await operator.post(`tasks/${taskId}/pause`, { kill: true });
    await becomes(taskId, 'paused');
    expect(await processesOf(taskId)).toEqual([]);
    await operator.post(`tasks/${taskId}/resume`);
    await becomes(taskId, 'completed');
    expect(await shown(taskId)).toMatchObject({ sessionId: session, attempts: 2 });
  });
});

describe('What is paused', () => {
  test('goes on in its own work place, which holds what was made before', async () => {
    const repository = join(folder, 'shop');
    execFileSync('git', ['init', '--quiet', repository]);
    const commit = ['-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit'];
    execFileSync('git', [...commit, '--quiet', '--allow-empty', '-m', 'x'], { cwd: repository });
    await startWorker();
    const taskId = await submit(talking, { directory: undefined, repository });
    await sessionOf(taskId);
    await operator.post(`tasks/${taskId}/pause`);
    await becomes(taskId, 'paused');
    const { attemptId = '' } = (await shown(taskId)).conversation ?? {};
    const place = join(server.home, 'workers', 'worker', 'work', 'attempts', attemptId);
    expect(readFileSync(join(place, 'begun.txt'), 'utf8')).toBe('here');
    // A worker that starts tidies up, and leaves alone what is to be carried on.
    await workers.splice(0)[0]?.stop();
    await startWorker();
    await operator.post(`tasks/${taskId}/resume`);
    await becomes(taskId, 'completed');
    expect(existsSync(place)).toBe(false);
    const branch = `tri-agent/${taskId}/${attemptId.slice(-12)}`;
    const made = execFileSync('git', ['show', `${branch}:begun.txt`], { cwd: repository });
    expect(made.toString()).toBe('here');
  });

  test('is paused also when its worker was killed before it had halted it', async () => {
    const worker = await startWorker();
    const taskId = await submit([{ do: 'hang' }]);
    const session = await sessionOf(taskId);
    await operator.post(`tasks/${taskId}/pause`);
    await worker.stop('SIGKILL');
    await startWorker();
    await becomes(taskId, 'paused');
    expect(await processesOf(taskId)).toEqual([]);
    await operator.post(`tasks/${taskId}/resume`);
    await becomes(taskId, 'completed');
    expect(await shown(taskId)).toMatchObject({ sessionId: session });
  });

  test('begins anew, at no cost, where its work place is gone', async () => {
    await startWorker();
    const marker = join(folder, 'first-time');
    const steps: Script = [
      { do: 'once', file: marker, steps: [{ do: 'talk', everyMs: 50 }] },
      { do: 'succeed', text: 'Anew.' },
    ];
    const taskId = await submit(steps, { directory: undefined, retries: 0 });
    await sessionOf(taskId);
    await operator.post(`tasks/${taskId}/pause`);
    await becomes(taskId, 'paused');
    const { attemptId = '' } = (await shown(taskId)).conversation ?? {};
    const records = join(server.home, 'workers', 'worker', 'work', 'records');
    execFileSync('rm', [join(records, `${attemptId}.json`)]);
    await operator.post(`tasks/${taskId}/resume`);
    await becomes(taskId, 'completed');
    expect((await shown(taskId)).attemptList.map(({ end }) => end)).toEqual([
      ...['halted', 'released', 'completed'],
    ]);
  });

  test('is paused also by a server that was killed and started again meanwhile', async () => {
    await startWorker();
    const taskId = await submit(talking);
    await sessionOf(taskId);
    const { home, ports } = server;
    await server.stop('SIGKILL');
    const environment = { TRI_AGENT_HTTP_PORT: String(ports.http) };
    server = await ServerProcess.start({ home, environment });
    await operator.post(`tasks/${taskId}/pause`);
    await becomes(taskId, 'paused');
  });
});

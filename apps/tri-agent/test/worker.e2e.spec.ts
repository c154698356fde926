import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attemptVariables, listProcesses } from '#platform/processes.js';
import { ServerProcess } from '#platform/server-process.js';
import { installFakeAgents } from '../../tri-agent-worker/test/fake-agents.js';
import { containmentsHere } from '../../tri-agent-worker/test/containments-here.js';
import { marked, newMark } from '../../tri-agent-worker/test/hostile-tree.js';
import { promptOf, type Script } from '../../tri-agent-worker/test/fake-script.js';
import { runCli } from './cli-process.js';
import { DispatchClient } from './dispatch-client.js';
import { TemporaryHomes, waitUntil } from './support.js';
import { WorkerProgram } from './worker-program.js';

const containments = await containmentsHere();
const homes = new TemporaryHomes();
let server: ServerProcess;
let operator: DispatchClient;
let folder: string;
let programs: Readonly<Record<string, string>>;
const workers: WorkerProgram[] = [];

beforeAll(async () => {
  const home = homes.create();
  server = await ServerProcess.start({ home });
  operator = DispatchClient.operatorOf(server);
  folder = homes.create();
  mkdirSync(join(folder, 'bin'));
  programs = installFakeAgents(join(folder, 'bin'));
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  programs = { ...programs, TRI_AGENT_CONTAINMENT: 'auto' };
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

const submit = (steps: Script, task: object = {}): Promise<string> =>
  operator.submit({ prompt: promptOf(steps), agent: 'claude-code', directory: folder, ...task });

interface TaskShown {
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: number;
  readonly sessionId: string | null;
  readonly attemptList: readonly { attemptId: string; end: string | null }[];
}
const shown = async (taskId: string): Promise<TaskShown> =>
  (await operator.get<TaskShown>(`tasks/${taskId}`)).body;
async function endOf(taskId: string): Promise<TaskShown> {
  const isOver = async () =>
    ['completed', 'parked', 'cancelled'].includes((await shown(taskId)).state);
  await waitUntil(`${taskId} has ended`, isOver, 60_000);
  return shown(taskId);
}
const resultOf = async (taskId: string): Promise<unknown> =>
  (await operator.get<{ result: unknown }>(`tasks/${taskId}/result`)).body.result;

/** Processes on this host that name this attempt. */
async function processesOf({ attemptList }: TaskShown): Promise<number[]> {
  const ids = new Set(attemptList.map(({ attemptId }) => attemptId));
  const all = await listProcesses();
  return all.filter((it) => ids.has(it.attemptId ?? '')).map(({ pid }) => pid);
}

describe.each(['claude-code', 'codex', 'gemini'])('A task for %s', (agent) => {
  test('is run, its result and its output come home, and nothing is left running', async () => {
    await startWorker();
    const steps: Script = [
      { do: 'say', text: 'Looking around.' },
      { do: 'write', file: `made-by-${agent}`, text: 'here' },
      { do: 'succeed', text: `Done by ${agent}.` },
    ];
    const taskId = await submit(steps, { agent });
    expect(await endOf(taskId)).toMatchObject({ state: 'completed', attempts: 1 });
    expect(await resultOf(taskId)).toEqual(expect.stringMatching(`Done by ${agent}.$`));
    expect(readFileSync(join(folder, `made-by-${agent}`), 'utf8')).toBe('here');
    const { body } = await operator.get(`tasks/${taskId}/output`);
    expect(JSON.stringify(body)).toContain('Looking around.');
    expect(await processesOf(await shown(taskId))).toEqual([]);
  });

  test('that fails for good is parked with the reason', async () => {
    const worker = await startWorker();
    const text = 'I cannot. \u001b[31m\u0007\u202e';
    const taskId = await submit([{ do: 'fail', text }], { agent, retries: 0 });
    const { state, reason } = await endOf(taskId);
    expect(state).toBe('parked');
    expect(reason).not.toBeNull();
    expect(worker.printed).toContain(taskId);
    expect(worker.printed).not.toMatch(/[\u001b\u0007\u202e]/);
  });
});

describe('An agent', () => {
  test('that ends without a result has not succeeded', async () => {
    await startWorker();
    const taskId = await submit([{ do: 'exit', code: 0 }], { retries: 0 });
    expect(await endOf(taskId)).toMatchObject({ state: 'parked' });
  });

  test('is ended at once when its task is cancelled, and what it has started with it', async () => {
    await startWorker();
    const child = join(folder, 'child.pid');
    const taskId = await submit([
      { do: 'ignore-term' },
      { do: 'spawn', file: child },
      { do: 'hang' },
    ]);
    await waitUntil('it has started a process', () => existsSync(child));
    expect((await processesOf(await shown(taskId))).length).toBeGreaterThanOrEqual(2);
    await operator.post(`tasks/${taskId}/cancel`, { reason: 'enough' });
    await waitUntil('nothing of it runs', async () => {
      return (await processesOf(await shown(taskId))).length === 0;
    });
    expect(await endOf(taskId)).toMatchObject({ state: 'cancelled' });
  });

  test('is told nothing of the secrets of the worker', async () => {
    await startWorker();
    const taskId = await submit([
      { do: 'write-how-started', file: 'how.json' },
      { do: 'succeed', text: 'Done.' },
    ]);
    await endOf(taskId);
    const how = readFileSync(join(folder, 'how.json'), 'utf8');
    const token = readFileSync(join(server.home, 'token'), 'utf8').trim();
    expect(how).toContain(attemptVariables.attemptId);
    expect(how).not.toContain(token);
    expect(how).not.toContain('worker.');
  });

  test('may not work where the worker does not allow it', async () => {
    await startWorker();
    const taskId = await submit([{ do: 'succeed', text: 'Done.' }], { directory: '/' });
    const { state, reason } = await endOf(taskId);
    expect([state, reason]).toEqual(['parked', expect.stringContaining('may work')]);
  });

  test('may print what it likes', async () => {
    await startWorker();
    const taskId = await submit([
      { do: 'print', text: '{"type":"nonsense"' },
      { do: 'print', text: '\u001b[2J\u0007' },
      { do: 'print-line-of', characters: 10_000_000 },
      { do: 'succeed', text: 'Done all the same.' },
    ]);
    expect(await endOf(taskId)).toMatchObject({ state: 'completed' });
    expect(await resultOf(taskId)).toBe('Done all the same.');
  });
});

describe('A task in a repository', () => {
  const git = (cwd: string, ...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
      cwd,
      encoding: 'utf8',
    });

  test('brings its work home on a branch of its own, and leaves the checkout as it was', async () => {
    const repository = join(folder, 'shop');
    mkdirSync(repository);
    git(repository, 'init', '--quiet', '--initial-branch', 'main');
    writeFileSync(join(repository, 'orders.txt'), 'one\n');
    git(repository, 'add', '.');
    git(repository, 'commit', '--quiet', '--message', 'begin');
    await startWorker();
    const steps: Script = [
      { do: 'write', file: 'orders.txt', text: 'one\ntwo\n' },
      { do: 'succeed', text: 'Added the second.' },
    ];
    const taskId = await submit(steps, { directory: undefined, repository });
    expect(await endOf(taskId)).toMatchObject({ state: 'completed' });
    const [branch = ''] = git(repository, 'branch', '--list', `tri-agent/${taskId}/*`)
      .split('\n')
      .map((it) => it.trim());
    expect(git(repository, 'show', `${branch}:orders.txt`)).toBe('one\ntwo\n');
    expect(readFileSync(join(repository, 'orders.txt'), 'utf8')).toBe('one\n');
    expect(git(repository, 'status', '--porcelain')).toBe('');
    const { body } = await operator.get(`tasks/${taskId}/output`);
    expect(JSON.stringify(body)).toContain(branch);
    const diff = await runCli(server, ['tasks', 'diff', taskId]);
    expect(diff.out).toContain('+two');
    const applied = await runCli(server, ['tasks', 'apply', taskId, '--cwd', repository]);
    expect(applied).toMatchObject({ exit: 0, err: '' });
    expect(git(repository, 'diff', '--cached', '--stat')).toContain('orders.txt');
    const again = await runCli(server, ['tasks', 'apply', taskId, '--cwd', folder]);
    expect(again).toMatchObject({
      exit: 1,
      err: expect.stringContaining('git could not apply it') as string,
    });
  });
});

describe('A worker', () => {
  test('that is told to stop ends its agent and gives the task back at once', async () => {
    const worker = await startWorker();
    const marker = join(folder, 'first-time');
    const taskId = await submit([
      { do: 'once', file: marker, steps: [{ do: 'hang' }] },
      { do: 'succeed', text: 'The second time.' },
    ]);
    await waitUntil('the agent is at it', () => existsSync(marker));
    expect(await worker.stop()).toBe(0);
    const after = await shown(taskId);
    expect(after).toMatchObject({ state: 'ready' });
    expect(await processesOf(after)).toEqual([]);
    await startWorker();
    expect(await endOf(taskId)).toMatchObject({ state: 'completed', attempts: 2 });
  });

  test.each(containments)(
    'that was killed leaves nothing behind once it is started again, by $kind',
    async ({ kind }) => {
      programs = { ...programs, TRI_AGENT_CONTAINMENT: kind };
      const worker = await startWorker();
      expect(worker.printed).toContain(`containment: ${kind}`);
      const [marker, mark] = [join(folder, `before-the-kill-${kind}`), newMark()];
      const taskId = await submit([
        {
          do: 'once',
          file: marker,
          steps: [
            { do: 'hide', mark },
            { do: 'write', file: `${marker}-2`, text: '' },
            { do: 'hang' },
          ],
        },
        { do: 'succeed', text: 'After the kill.' },
      ]);
      await waitUntil('the agent is at it', () => existsSync(`${marker}-2`));
      await worker.stop('SIGKILL');
      expect((await processesOf(await shown(taskId))).length).toBeGreaterThan(0);
      expect(await marked(mark)).toHaveLength(1);
      await startWorker();
      expect(await endOf(taskId)).toMatchObject({ state: 'completed', attempts: 2 });
      expect(await resultOf(taskId)).toBe('After the kill.');
      expect(await marked(mark)).toEqual([]);
      expect(await processesOf(await shown(taskId))).toEqual([]);
    },
  );

  test('that is dismissed ends its agent and itself', async () => {
    const worker = await startWorker();
    const marker = join(folder, 'before-the-dismissal');
    const taskId = await submit([
      { do: 'once', file: marker, steps: [{ do: 'hang' }] },
      { do: 'succeed', text: 'Done.' },
    ]);
    await waitUntil('the agent is at it', () => existsSync(marker));
    const { body } = await operator.get<{ items: { workerId: string; running: number }[] }>(
      'workers',
    );
    const busy = body.items.find(({ running }) => running > 0)?.workerId ?? '';
    expect((await runCli(server, ['workers', 'show', busy])).out).toContain(taskId);
    expect(await runCli(server, ['workers', 'stop', busy])).toMatchObject({ exit: 0 });
    await waitUntil('it has ended', () => worker.exitCode !== null);
    const after = await shown(taskId);
    expect([after.state, await processesOf(after)]).toEqual(['ready', []]);
    await operator.post(`tasks/${taskId}/cancel`);
  });

  test('with a containment that does not exist says so', async () => {
    const worker = await WorkerProgram.start(server, {
      ...programs,
      TRI_AGENT_CONTAINMENT: 'padlock',
    });
    expect(worker.exitCode).toBe(1);
    expect(worker.printed).toContain('TRI_AGENT_CONTAINMENT must be "auto", "cgroup"');
  });

  test('without an agent says so', async () => {
    const worker = await WorkerProgram.start(server, {
      PATH: folder,
      TRI_AGENT_CLAUDE_BIN: join(folder, 'none'),
      TRI_AGENT_CODEX_BIN: join(folder, 'none'),
      TRI_AGENT_GEMINI_BIN: join(folder, 'none'),
    });
    expect(worker.exitCode).toBe(1);
    expect(worker.printed).toContain('Install one');
  });
});

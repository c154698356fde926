import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { runs, StartedProcesses, stubborn } from '#platform/started-processes.spec-helper.js';
import { runCli } from './cli-process.js';
import { TemporaryHomes, waitUntilProjected } from './support.js';

const homes = new TemporaryHomes();
const started = new StartedProcesses();
let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ home: homes.create() });
});
afterAll(async () => {
  started.end();
  await server.stop();
  homes.removeAll();
});

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const token = readFileSync(join(server.home, 'token'), 'utf8').trim();
  const answer = await fetch(`${server.url}/api/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const told = (await answer.json()) as Record<string, unknown>;
  expect(told).not.toHaveProperty('code');
  return told;
}

interface Document {
  readonly items: readonly { pid: number; why: string; done: string }[];
  readonly running: object;
  readonly problem: object | null;
}
async function reap(...words: string[]) {
  const { exit, out } = await runCli(server, ['reap', '--json', ...words]);
  const { items, running, problem } = JSON.parse(out) as Document;
  return { exit, running, problem, of: (pid: number) => items.find((it) => it.pid === pid) };
}

test('What an attempt leaves running is ended once the server knows that it has ended, not before', async () => {
  await post('tasks', { prompt: 'Tidy up.' });
  const { workerId } = await post('workers', { agents: ['claude-code'] });
  const { taskId, attemptId, fencingToken } = await post('claims', { workerId });
  const [agent] = await started.start(
    stubborn,
    { TRI_AGENT_ATTEMPT_ID: String(attemptId), TRI_AGENT_TASK_ID: String(taskId) },
    { detached: true },
  );
  await post(`attempts/${String(attemptId)}/start`, { fencingToken });
  const whileItRuns = await reap('--yes');
  expect(whileItRuns).toMatchObject({
    ...{ exit: 0, problem: null, running: { attempts: 1, processes: 1 } },
  });
  expect(whileItRuns.of(agent!.pid)).toBeUndefined();

  await post(`attempts/${String(attemptId)}/complete`, { fencingToken });
  await waitUntilProjected(server);
  const dry = await reap('--dry-run');
  expect(dry.of(agent!.pid)).toMatchObject({ why: 'attempt-ended', done: 'would-be-ended' });
  expect(runs(agent!)).toBe(true);
  const wet = await reap('--yes');
  expect(wet.of(agent!.pid)).toMatchObject({ taskId, attemptId, done: 'killed' });
  expect([wet.exit, runs(agent!)]).toEqual([0, false]);
});

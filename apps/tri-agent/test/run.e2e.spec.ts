import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { installFakeAgents } from '../../tri-agent-worker/test/fake-agents.js';
import { promptOf } from '../../tri-agent-worker/test/fake-script.js';
import { runCli } from './cli-process.js';
import { TemporaryHomes } from './support.js';
import { WorkerProgram } from './worker-program.js';

const homes = new TemporaryHomes();
let server: ServerProcess;
let worker: WorkerProgram;
let folder: string;

beforeAll(async () => {
  server = await ServerProcess.start({ home: homes.create() });
  folder = homes.create();
  mkdirSync(join(folder, 'bin'));
  const programs = installFakeAgents(join(folder, 'bin'));
  worker = await WorkerProgram.start(server, programs, '--root', folder, '--slots', '2');
});
afterAll(async () => {
  await worker.stop();
  await server.stop();
  homes.removeAll();
});

test.each(['claude', 'codex', 'gemini'])('run has %s do something and shows it', async (agent) => {
  const prompt = promptOf([
    { do: 'say', text: 'Looking \u001b[31maround.' },
    { do: 'succeed', text: 'All is well.' },
  ]);
  const { exit, out } = await runCli(server, ['run', prompt, '--agent', agent, '--cwd', folder]);
  expect({ exit, out }).toMatchObject({ exit: 0 });
  expect(out).toContain('All is well.');
  expect(out).toContain('around.');
  expect(out).not.toContain('\u001b[31m');
  expect(out).toMatch(/is completed/);
});

test('run --json prints one object', async () => {
  const prompt = promptOf([{ do: 'succeed', text: 'All is well.' }]);
  const argv = ['run', prompt, '--agent', 'claude', '--cwd', folder, '--json'];
  const { exit, out } = await runCli(server, argv);
  expect(exit).toBe(0);
  const told = JSON.parse(out) as Record<string, unknown>;
  expect(Object.keys(told)).toEqual([
    ...['taskId', 'state', 'agent', 'sessionId', 'tokens', 'costUsd', 'result'],
  ]);
  expect(told).toMatchObject({ state: 'completed', agent: 'claude-code', result: 'All is well.' });
  const logs = await runCli(server, ['tasks', 'logs', String(told.taskId), '--json']);
  expect(logs.exit).toBe(0);
});

test('run fails with the task, and says why', async () => {
  const prompt = promptOf([{ do: 'fail', text: 'I cannot.' }]);
  const { exit, out } = await runCli(server, ['run', prompt, '--agent', 'codex', '--cwd', folder]);
  expect(exit).toBe(1);
  expect(out).toMatch(/is parked/);
});

test('logs -f follows an agent until its attempt has ended', async () => {
  const prompt = promptOf([
    { do: 'say', text: 'One.' },
    { do: 'say', text: 'Two.' },
    { do: 'succeed', text: 'Three.' },
  ]);
  const argv = ['tasks', 'submit', prompt, '--agent', 'claude', '--directory', folder, '--json'];
  const { taskId } = JSON.parse((await runCli(server, argv)).out) as { taskId: string };
  const { exit, out } = await runCli(server, ['tasks', 'logs', '-f', taskId]);
  expect(exit).toBe(0);
  expect(out).toMatch(/One\.[^]*Two\./);
});

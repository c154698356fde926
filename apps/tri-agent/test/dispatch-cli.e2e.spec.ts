import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess } from '#platform/server-process.js';
import { runCli } from './cli-process.js';
import { ScriptedWorker, type Claimed } from './scripted-worker.js';
import { TemporaryHomes } from './support.js';

const homes = new TemporaryHomes();
let server: ServerProcess;
beforeEach(async () => {
  server = await ServerProcess.start({ home: homes.create() });
});
afterEach(() => server.stop());
afterAll(() => {
  homes.removeAll();
});

/** Runs a command that has to succeed, and returns what it printed. */
async function ctl(...argv: string[]): Promise<string> {
  const { exit, out, err } = await runCli(server, argv);
  expect({ argv, exit, err }).toEqual({ argv, exit: 0, err: '' });
  return out;
}
async function ctlJson<Answer>(...argv: string[]): Promise<Answer> {
  return JSON.parse(await ctl(...argv, '--json')) as Answer;
}
async function submit(...argv: string[]): Promise<string> {
  return (await ctlJson<{ taskId: string }>('tasks', 'submit', ...argv)).taskId;
}
const stateOf = async (taskId: string): Promise<string> =>
  (await ctlJson<{ state: string }>('tasks', 'show', taskId)).state;
async function claimed(worker: ScriptedWorker): Promise<Claimed> {
  const claim = await worker.claim();
  if (claim === undefined) throw new Error('There was nothing to claim.');
  return claim;
}

test('A task is submitted, claimed, seen to run, completed, and tells what came of what', async () => {
  const text = 'Add “paging” to the\norders API: --lane isn’t for you 🦀';
  const taskId = await submit(text, '--agent', 'claude', '--project', 'shop', '--budget', '1.5');
  expect(await ctl('tasks', 'why', taskId)).toMatch(/is ready\.\n/);
  const worker = await ScriptedWorker.register(server, { host: 'den', agents: ['claude-code'] });
  const claim = await claimed(worker);
  expect(claim).toMatchObject({ taskId, task: { prompt: text, agent: 'claude-code' } });
  expect(await worker.move(claim, 'start', { sessionId: 'session-1' })).toBe(200);
  expect(await worker.move(claim, 'progress', { percent: 40 })).toBe(200);
  expect(await ctl('tasks', 'list', '--project', 'shop', '--state', 'running')).toMatch(
    new RegExp(`${taskId} +running 40% +normal +impl +claude-code `),
  );
  expect(await ctl('workers')).toMatch(new RegExp(`den .* claude-code +\\? +1 of 1 +${taskId}\n`));
  expect(await worker.move(claim, 'complete', { result: 'done' })).toBe(200);
  const shown = await ctl('tasks', 'show', taskId);
  expect(shown).toMatch(/state +completed\n/);
  expect(shown).toMatch(/budget +\$1\.5000 each attempt\n/);
  expect(shown).toMatch(new RegExp(`${claim.attemptId} .* completed`));
  const why = await ctl('tasks', 'why', taskId);
  expect(why).toMatch(/is completed\.\n/);
  expect(why).toMatch(/TaskSubmitted[^]*TaskClaimed[^]*AttemptCompleted/);
});

test('A file of tasks goes in as a whole, and its tasks wait for each other', async () => {
  mkdirSync(join(server.home, 'plan'));
  writeFileSync(join(server.home, 'plan/review.md'), '# Look twice\n');
  const file = join(server.home, 'plan/tasks.yaml');
  writeFileSync(
    file,
    [
      'defaults: {team: web, retries: 0}',
      'tasks:',
      '  - {key: review, promptFile: review.md, dependsOn: [api], idempotencyKey: nightly-review}',
      '  - {key: api, prompt: Add paging., idempotencyKey: nightly-api}',
    ].join('\n'),
  );
  const { items } = await ctlJson<{ items: { key: string; taskId: string; created: boolean }[] }>(
    ...['tasks', 'submit', '--file', file],
  );
  expect(items).toMatchObject([
    { key: 'review', created: true },
    { key: 'api', created: true },
  ]);
  const [review = '', api = ''] = items.map(({ taskId }) => taskId);
  expect([await stateOf(review), await stateOf(api)]).toEqual(['waiting', 'ready']);
  expect(await ctl('tasks', 'why', review)).toContain(api);

  const worker = await ScriptedWorker.register(server);
  const first = await claimed(worker);
  expect(first.taskId).toBe(api);
  expect(await worker.move(first, 'start')).toBe(200);
  expect(await worker.move(first, 'complete')).toBe(200);
  expect(await claimed(worker)).toMatchObject({
    taskId: review,
    task: { prompt: '# Look twice\n' },
  });
  const again = await ctl('tasks', 'submit', '--file', file);
  expect(again).toContain('0 tasks were submitted; 2 had been submitted already.');
  expect(again).toMatch(new RegExp(`review +${review} +known already`));
});

test('Of a file that the server refuses nothing is queued', async () => {
  const file = join(server.home, 'tasks.yaml');
  writeFileSync(file, '- prompt: fine\n- {prompt: waits, dependsOn: [nobody]}\n');
  const { exit, out, err } = await runCli(server, ['tasks', 'submit', '--file', file]);
  expect({ exit, out }).toEqual({ exit: 1, out: '' });
  expect(err).toContain('depends on nobody, which does not exist');
  expect(await ctl('tasks')).toContain('No such tasks.');
});

test('A task that is put into a better lane is claimed before its elders', async () => {
  const [elder, younger] = [await submit('elder'), await submit('younger')];
  expect(await ctl('tasks', 'priority', younger, 'critical')).toContain('Its lane is critical.');
  expect(await ctl('lanes')).toMatch(/critical +0 +1 +0 +0 [^]*normal +0 +1 +0 +0 /);
  const worker = await ScriptedWorker.register(server, { slots: 2 });
  expect((await claimed(worker)).taskId).toBe(younger);
  expect((await claimed(worker)).taskId).toBe(elder);
});

test('Nothing of a paused lane is claimed until it is resumed, and no more than a limit says', async () => {
  await submit('later', '--lane', 'background');
  await submit('later', '--lane', 'background');
  const worker = await ScriptedWorker.register(server, { slots: 5 });
  await ctl('queue', 'pause', '--lane', 'background', '--reason', 'lunch');
  expect(await worker.claim()).toBeUndefined();
  expect(await ctl('queue')).toMatch(/lane:background +paused .* lunch\n/);
  expect(await ctl('queue', 'resume', '--lane', 'background')).toContain('is open again');
  expect(await ctl('queue', 'resume', '--lane', 'background')).toContain('was open already');
  await ctl('queue', 'limit', '1', '--worker', worker.workerId);
  await claimed(worker);
  expect(await worker.claim()).toBeUndefined();
  expect(await ctl('queue')).toMatch(new RegExp(`worker:${worker.workerId} +1 +1\n`));
  await ctl('queue', 'limit', 'none', '--worker', worker.workerId);
  await claimed(worker);
});

test('What depends on a cancelled task goes with it; its late result can be taken after all', async () => {
  const taskId = await submit('first');
  const dependent = await submit('second', '--depends-on', taskId);
  const worker = await ScriptedWorker.register(server);
  const claim = await claimed(worker);
  expect(await ctl('tasks', 'cancel', taskId, '--reason', 'not now')).toContain('is cancelled.');
  expect([await stateOf(taskId), await stateOf(dependent)]).toEqual(['cancelled', 'cancelled']);
  expect(await worker.move(claim, 'complete', { result: 'too late' })).toBe(409);
  expect(await ctl('tasks', 'show', taskId)).toContain(`of ${claim.attemptId}; take one with`);
  expect(await ctl('tasks', 'adopt', taskId, claim.attemptId)).toContain('is completed.');
  const { exit, err } = await runCli(server, ['tasks', 'cancel', taskId]);
  expect(exit).toBe(1);
  expect(err).toContain('is completed and cannot be cancelled');
});

test('Dead letters are listed with their reasons, and run again when they are replayed', async () => {
  const parked = await submit('parked by hand');
  await ctl('tasks', 'park', parked, '--reason', 'wait for the key');
  const failed = await submit('fails');
  const worker = await ScriptedWorker.register(server, { slots: 2 });
  const error = 'no disk\u001b[2J\u202e';
  expect(await worker.move(await claimed(worker), 'fail', { error, retryable: false })).toBe(200);
  const listed = await ctl('dead-letter');
  expect(listed).toMatch(new RegExp(`${parked} .* wait for the key\n`));
  expect(listed).toMatch(new RegExp(`${failed} .*no disk`));
  expect(listed).not.toMatch(/[\u001b\u202e]/);
  expect(await ctl('dead-letter', 'replay', '--all')).toContain('2 dead letters run again.');
  expect(await ctl('dead-letter')).toContain('nothing waits for you');
  const running = [await claimed(worker), await claimed(worker)].map(({ taskId }) => taskId);
  expect(running.sort()).toEqual([parked, failed].sort());
  const { exit, err } = await runCli(server, ['dead-letter', 'replay', failed, 'nobody']);
  expect(exit).toBe(1);
  expect(err).toMatch(/Refused: 2\.\n.*is running and cannot be replayed.*\n.*There is no task/);
});

test('A worker that is dismissed gives back what it holds', async () => {
  const taskId = await submit('work');
  const worker = await ScriptedWorker.register(server);
  await claimed(worker);
  expect(await ctl('workers', 'leave', worker.workerId)).toContain('has been dismissed');
  expect(await ctl('workers')).toContain('No workers are registered');
  expect(await stateOf(taskId)).toBe('ready');
  const another = await ScriptedWorker.register(server);
  expect((await claimed(another)).taskId).toBe(taskId);
});

import { limits } from '#kernel/limits.js';
import { ContentStore } from '#platform/content-store.js';
import { DispatchServer } from './dispatch-api.contract.js';
import { submittedBatchShape } from './submission.shapes.js';
import { taskDetailShape, tasksPage } from './task.shapes.js';

let server: DispatchServer;
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(() => server.stop());

const submit = (body: object) => server.post('tasks', { prompt: 'Tidy up.', ...body });
const countEvents = async () => (await server.events()).length;

describe('A task', () => {
  test('is seen by whoever submitted it, with what it was submitted with', async () => {
    const taskId = await server.submit({
      ...{ prompt: 'Mend the roof.', agent: 'codex', model: 'gpt-5', lane: 'critical' },
      ...{ shard: 'review', size: 'large', team: 'core', project: 'house', tags: ['roof'] },
      ...{ repository: 'https://example.org/house.git', ref: 'main', permissionMode: 'plan' },
      ...{ budgetUsd: '1.5', timeoutMs: 60_000, retries: 1, idempotencyKey: 'roof-1' },
    });
    const { body } = await server.get(`tasks/${taskId}`);
    expect(taskDetailShape.parse(body)).toMatchObject({
      ...{ taskId, state: 'ready', agent: 'codex', model: 'gpt-5', lane: 'critical' },
      ...{ shard: 'review', size: 'large', team: 'core', project: 'house', tags: ['roof'] },
      ...{ repository: 'https://example.org/house.git', ref: 'main', permissionMode: 'plan' },
      ...{ budgetUsd: '1.500000000', timeoutMs: 60_000, retries: 1, promptCharacters: 14 },
    });
    expect(await server.content.read(String(body.promptHash))).toBe('Mend the roof.');
    const page = tasksPage.parse((await server.get('tasks?lane=critical&team=core')).body);
    expect(page.items.map((it) => it.taskId)).toEqual([taskId]);
  });

  test('needs nothing but a prompt', async () => {
    const { body } = await server.get(`tasks/${await server.submit()}`);
    expect(body).toMatchObject({
      ...{ agent: 'any', model: null, lane: 'normal', shard: 'impl', size: 'medium' },
      ...{ dependsOn: [], budgetUsd: null, retries: limits.retriesDefault },
    });
  });

  test('whose prompt was erased goes to the dead letters, and the worker is told of nothing', async () => {
    const taskId = await server.submit({ prompt: 'Forget me.' });
    const { promptHash } = (await server.get(`tasks/${taskId}`)).body;
    await server.content.erase(String(promptHash));
    const { workerId } = await server.register();
    expect((await server.post('claims', { workerId })).status).toBe(204);
    const { body } = await server.get(`tasks/${taskId}`);
    expect(body).toMatchObject({ state: 'parked' });
    expect(body.reason).toContain('prompt has been erased');
  });

  test('is cancelled, retried, parked, replayed and put into another lane', async () => {
    const taskId = await server.submit();
    const move = async (name: string, body?: object) =>
      (await server.post(`tasks/${taskId}/${name}`, body)).body;
    expect(await move('cancel', { reason: 'not now' })).toMatchObject({
      state: 'cancelled',
      reason: 'not now',
    });
    expect(await move('retry')).toMatchObject({ state: 'ready', reason: null });
    expect(await move('priority', { lane: 'critical' })).toMatchObject({ lane: 'critical' });
    expect(await move('park', { reason: 'by hand' })).toMatchObject({ state: 'parked' });
    const dead = tasksPage.parse((await server.get('tasks?state=parked')).body);
    expect(dead.items.map((it) => it.taskId)).toEqual([taskId]);
    expect(await move('replay')).toMatchObject({ state: 'ready' });
    expect(await move('replay')).toMatchObject({ code: 'ILLEGAL_MOVE', status: 409 });
  });

  test('is explained: what happened to it, and what it waits for', async () => {
    const first = await server.submit();
    const taskId = await server.submit({ dependsOn: [first] });
    await server.post('queue/pause', { reason: 'deploy' });
    const { body } = await server.get(`tasks/${taskId}/why`);
    expect(body).toMatchObject({ taskId, state: 'waiting' });
    expect(String(body.now)).toContain(first);
    expect(body.chain).toMatchObject([{ type: 'TaskSubmitted', by: 'operator:api' }]);
    const paused = await server.get(`tasks/${first}/why`);
    await server.register();
    const told = String((await server.get(`tasks/${first}/why`)).body.now);
    expect([String(paused.body.now), told]).toEqual([
      expect.stringContaining('worker'),
      expect.stringContaining('deploy'),
    ]);
  });
});

describe('What a task may cost and use', () => {
  test('is told to its worker, and is reserved', async () => {
    const taskId = await server.submit({
      ...{ maxCostUsd: '2.5', allowedTools: ['Edit', 'Bash(git status)'] },
    });
    const { token, workerId } = await server.register();
    const { body } = await server.post('claims', { workerId }, token);
    const said = { maxCostUsd: '2.500000000', allowedTools: ['Edit', 'Bash(git status)'] };
    expect(body.task).toMatchObject(said);
    const task = await server.get(`tasks/${taskId}`);
    expect(task.body).toMatchObject({ ...said, budgetUsd: '2.500000000' });
    const { reservedNanoUsd } = await server.dispatcher.state();
    expect(reservedNanoUsd.get('all')).toBe(2_500_000_000);
  });

  test('is not what is reserved where that is said', async () => {
    const taskId = await server.submit({ maxCostUsd: 10, budgetUsd: '0.5' });
    const { body } = await server.get(`tasks/${taskId}`);
    expect(body).toMatchObject({ maxCostUsd: '10.000000000', budgetUsd: '0.500000000' });
  });
});

test('A worker tells which versions of agents it has, and how it holds them together', async () => {
  const agents = [{ name: 'claude-code', version: '2.0.42' }, { name: 'codex' }];
  const told = await server.register({ agents, containment: 'cgroup' });
  const plain = await server.register({ agents: ['gemini'] });
  expect((await server.get('workers')).body.items).toMatchObject([
    {
      ...{ workerId: told.workerId, containment: 'cgroup' },
      agents: [agents[0], { name: 'codex', version: null }],
      seats: [{ agent: 'claude-code' }, { agent: 'codex' }],
    },
    {
      ...{ workerId: plain.workerId, containment: null },
      agents: [{ name: 'gemini', version: null }],
    },
  ]);
});

describe('An idempotency key', () => {
  test('that comes again is the same task: 200, and no event', async () => {
    const first = await submit({ idempotencyKey: 'k' });
    const events = await countEvents();
    const second = await submit({ idempotencyKey: 'k' });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual({ taskId: first.body.taskId, created: false });
    expect(await countEvents()).toBe(events);
  });

  test('may come as a header', async () => {
    const send = () =>
      fetch(`${server.url}/api/v1/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
        body: '{"prompt":"Tidy up."}',
      });
    expect([(await send()).status, (await send()).status]).toEqual([201, 200]);
  });

  test('races to one task', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => submit({ idempotencyKey: 'k' })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.taskId)).size).toBe(1);
  });

  test('that stands for something else is refused', async () => {
    await submit({ idempotencyKey: 'k' });
    const { status, body } = await submit({ idempotencyKey: 'k', lane: 'critical' });
    expect([status, body.code]).toEqual([409, 'IDEMPOTENCY_KEY_REUSED']);
  });
});

describe('A batch', () => {
  test('is taken as a whole, its tasks depending on each other by key', async () => {
    const { status, body } = await server.post('tasks/batch', {
      tasks: [
        { key: 'test', prompt: 'Test it.', dependsOn: ['build'] },
        { key: 'build', prompt: 'Build it.' },
        { prompt: 'Tell it.', dependsOn: ['test', 'build'] },
      ],
    });
    expect(status).toBe(201);
    const [test, build, tell] = submittedBatchShape.parse(body).items;
    expect([test?.key, build?.key, tell?.key]).toEqual(['test', 'build', null]);
    expect((await server.get(`tasks/${tell?.taskId}`)).body).toMatchObject({
      state: 'waiting',
      dependsOn: [test?.taskId, build?.taskId],
    });
  });

  test.each([
    [
      'a circle',
      [
        ['a', ['b']],
        ['b', ['a']],
      ],
      'CYCLIC_DEPENDENCIES',
    ],
    ['a task that waits for itself', [['a', ['a']]], 'CYCLIC_DEPENDENCIES'],
    [
      'a dependency that there is not',
      [
        ['a', []],
        ['b', ['c']],
      ],
      'DEPENDENCY_NOT_FOUND',
    ],
    [
      'one key twice',
      [
        ['a', []],
        ['a', []],
      ],
      'BAD_REQUEST',
    ],
  ] as [string, [string, string[]][], string][])(
    'with %s changes nothing',
    async (_, tasks, code) => {
      const body = tasks.map(([key, dependsOn]) => ({ key, dependsOn, prompt: 'Do it.' }));
      const answer = await server.post('tasks/batch', { tasks: body });
      expect([answer.status, answer.body.code]).toEqual([400, code]);
      expect(String(answer.body.detail)).toMatch(/\b[abc]\b/);
      expect(await countEvents()).toBe(0);
      expect(await server.content.read(ContentStore.hashOf('Do it.'))).toBeUndefined();
    },
  );
});

describe('Bad input', () => {
  test.each([
    ['an unknown lane', { lane: 'urgent' }, 'lane'],
    ['an unknown agent', { agent: 'claude' }, 'agent'],
    ['an unknown shard', { shard: 'ops' }, 'shard'],
    ['an empty prompt', { prompt: '' }, 'prompt'],
    ['a prompt that is too long', { prompt: 'x'.repeat(limits.promptCharactersMax + 1) }, 'prompt'],
    ['half a character', { prompt: '\ud800' }, 'prompt'],
    ['a field that there is not', { lanes: 'critical' }, 'lanes'],
    ['a budget that is none', { budgetUsd: '-1' }, 'budgetUsd'],
    ['costs of nothing', { maxCostUsd: '0' }, 'maxCostUsd'],
    ['costs below nothing', { maxCostUsd: -1 }, 'maxCostUsd'],
    ['costs beyond reason', { maxCostUsd: '10000.000000001' }, 'maxCostUsd'],
    ['too many tools', { allowedTools: Array<string>(101).fill('Edit') }, 'allowedTools'],
    ['a tool that is a command to a terminal', { allowedTools: ['\u001b[2J'] }, 'allowedTools'],
    ['a budget finer than a nano-dollar', { budgetUsd: '0.0000000001' }, 'budgetUsd'],
    ['a timeout above a day', { timeoutMs: limits.attemptMsMax + 1 }, 'timeoutMs'],
    ['a folder and a repository', { directory: '/a', repository: 'b' }, 'repository'],
    ['a ref of nothing', { ref: 'main' }, 'ref'],
    [
      'a secret in an address',
      { repository: 'https://u:ghp_0123456789abcdefghijABCDEFGHIJ456789@example.org/x.git' },
      'repository',
    ],
  ])('%s is refused, and nothing is queued', async (_, body, field) => {
    const answer = await submit(body);
    expect([answer.status, answer.body.code]).toEqual([400, 'BAD_REQUEST']);
    expect(String(answer.body.detail)).toContain(field);
    expect(await countEvents()).toBe(0);
  });

  test('a prompt of 10 MB is 413', async () => {
    const answer = await submit({ prompt: 'x'.repeat(10 * 1024 * 1024) });
    expect([answer.status, answer.body.code]).toEqual([413, 'BODY_TOO_LARGE']);
    expect(await server.submit()).toBeDefined();
  });

  test('a task that there is not is 404 for every question and move', async () => {
    for (const path of ['tasks/none', 'tasks/none/why']) {
      const { status, body } = await server.get(path);
      expect([status, body.code]).toEqual([404, 'TASK_NOT_FOUND']);
    }
    for (const move of ['cancel', 'park', 'retry', 'replay']) {
      const { status, body } = await server.post(`tasks/none/${move}`);
      expect([status, body.code]).toEqual([404, 'TASK_NOT_FOUND']);
    }
  });
});

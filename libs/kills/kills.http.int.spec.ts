import { hostname } from 'node:os';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { Clock } from '#platform/clock.js';
import { API_DESCRIPTION, DocsController } from '#platform/docs.controller.js';
import { createHttpApp } from '#platform/http-app.js';
import { Redactor } from '#platform/redaction.js';
import { polite, runs, StartedProcesses, until } from '#platform/started-processes.spec-helper.js';
import { kills } from './index.js';
import { KillSwitch } from './kill-switch.js';
import type { KillItem, KillsOrdered } from './kills.shapes.js';
import { KillPorts } from './ports.js';
import { runningWork, ScriptedAgents, ScriptedWork } from './scripted-work.spec-helper.js';

const started = new StartedProcesses();
let work: ScriptedWork;
let agents: ScriptedAgents;
let killSwitch: KillSwitch;
let app: NestFastifyApplication;
let url: string;

beforeEach(async () => {
  [work, agents] = [new ScriptedWork(), new ScriptedAgents()];
  const parts = { log: new MemoryLog(), clock: new Clock(), work, report: fail };
  killSwitch = new KillSwitch(parts);
  await killSwitch.start();
  app = await createHttpApp({
    controllers: [...kills.controllers, DocsController],
    providers: [
      ...kills.providers,
      { provide: KillSwitch, useValue: killSwitch },
      { provide: KillPorts, useValue: new KillPorts(work, agents) },
      { provide: Redactor, useValue: new Redactor([]) },
      { provide: API_DESCRIPTION, useValue: { routes: kills.routes, version: '0' } },
    ],
    guard: (_request, _reply, done) => {
      done();
    },
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  url = `${await app.getUrl()}/api/v1/kills`;
});
afterEach(async () => {
  await app.close();
  await killSwitch.stop();
  started.end();
});

function fail(sentence: string): never {
  throw new Error(sentence);
}

async function post(body: unknown): Promise<{ status: number; body: KillsOrdered }> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as KillsOrdered };
}
const kill = (aim: object, more: object = {}) => post({ aim, reason: 'Enough.', ...more });
async function get(path = ''): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(url + path);
  return { status: answer.status, body: await answer.json() };
}

describe('POST /kills', () => {
  test.each([
    [{ kind: 'task', taskId: 'task-a' }, ['kill task-a']],
    [{ kind: 'worker', workerId: 'worker-1' }, ['kill task-a', 'kill task-b']],
    [{ kind: 'session', sessionId: 's-b' }, ['kill task-b']],
    [{ kind: 'all' }, ['pause claims: Enough.', 'kill task-a', 'kill task-b', 'kill task-c']],
  ])('of %j ends that and nothing else', async (aim, said) => {
    work.begin(runningWork('a'), runningWork('b', { sessionId: 's-b' }));
    work.begin(runningWork('c', { workerId: 'worker-2' }));
    const { status, body } = await kill(aim);
    expect(status).toBe(202);
    expect(body).toMatchObject({ dryRun: false, claimsPaused: aim.kind === 'all' });
    expect(body.items.map(({ killId }) => typeof killId)).toEqual(body.items.map(() => 'string'));
    await until(() => work.said.length === said.length);
    expect(work.said).toEqual(said);
  });

  test('as a dry run tells the processes, and signals nothing', async () => {
    const [agent] = await started.start(polite);
    const { pid, startMark } = agent!;
    agents.begin({ agent: 'codex', sessionId: 's1', host: hostname(), pid, startMark });
    const { body } = await kill({ kind: 'all' }, { dryRun: true });
    expect(body).toMatchObject({ dryRun: true, claimsPaused: false });
    expect(body.items).toMatchObject([
      { killId: null, target: { kind: 'session', sessionId: 's1', pid }, processes: [{ pid }] },
    ]);
    expect(work.said).toEqual([]);
    expect(runs(agent!)).toBe(true);
    expect((await get('')).body).toEqual({ items: [], nextCursor: null });
  });

  test('tells no processes of what runs on another host', async () => {
    const there = { host: 'elsewhere', pid: 4711, startMark: '1' };
    agents.begin({ agent: 'codex', sessionId: 's1', ...there });
    const { body } = await kill({ kind: 'session', sessionId: 's1' }, { dryRun: true });
    expect(body.items).toMatchObject([{ processes: null }]);
  });

  test('of what is being ended already answers with that kill', async () => {
    work.begin(runningWork('a'));
    const [first, second] = [
      await kill({ kind: 'task', taskId: 'task-a' }),
      await kill({ kind: 'task', taskId: 'task-a' }),
    ];
    expect(second.body.items).toEqual(first.body.items);
  });

  test.each([
    { kind: 'task', taskId: 'none' },
    { kind: 'session', sessionId: 'none' },
    { kind: 'worker', workerId: 'none' },
  ])('of %j, of which nothing runs, says so', async (aim) => {
    expect(await kill(aim)).toMatchObject({ status: 404, body: { code: 'NOTHING_TO_KILL' } });
  });

  test('of everything, where nothing runs, still shuts the queue', async () => {
    expect(await kill({ kind: 'all' })).toMatchObject({
      ...{ status: 202, body: { claimsPaused: true, items: [] } },
    });
    expect(work.said).toEqual(['pause claims: Enough.']);
  });

  test.each([
    ['no reason', { aim: { kind: 'all' } }],
    ['an empty reason', { aim: { kind: 'all' }, reason: '' }],
    ['no aim', { reason: 'Enough.' }],
    ['an unknown aim', { aim: { kind: 'process', pid: 1 }, reason: 'Enough.' }],
    ['a pid', { aim: { kind: 'session', sessionId: 's', pid: 1 }, reason: 'Enough.' }],
    ['an aim without its id', { aim: { kind: 'task' }, reason: 'Enough.' }],
    ['a long reason', { aim: { kind: 'all' }, reason: 'x'.repeat(501) }],
    ['no JSON', '{'],
  ])('with %s is refused, and ends nothing', async (_, body) => {
    work.begin(runningWork('a'));
    expect(await post(body)).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect(work.said).toEqual([]);
  });
});

describe('GET /kills', () => {
  test('tells of the newest first, with what became of them, and of each by its id', async () => {
    work.begin(runningWork('a'), runningWork('b'));
    await kill({ kind: 'task', taskId: 'task-a' });
    await kill({ kind: 'task', taskId: 'task-b' });
    await until(() => work.said.length === 2);
    work.end({ attemptId: 'attempt-a', ended: 2, survivors: [] });
    await until(() => [...killSwitch.known.values()].some(({ outcome }) => outcome.is !== 'open'));
    const { items } = (await get()).body as { items: KillItem[] };
    expect(items).toMatchObject([
      { target: { taskId: 'task-b' }, outcome: { is: 'open' }, budgetId: null },
      { target: { taskId: 'task-a' }, outcome: { is: 'confirmed', ended: 2 }, reason: 'Enough.' },
    ]);
    expect(await get(`/${items[1]!.killId}`)).toEqual({ status: 200, body: items[1] });
    expect(await get('/none')).toMatchObject({ status: 404, body: { code: 'KILL_NOT_FOUND' } });
  });
});

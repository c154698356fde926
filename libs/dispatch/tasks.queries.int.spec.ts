import Database from 'better-sqlite3';
import type { Sign } from './commands.js';
import { claude, Dispatch, task } from './dispatch.spec-helper.js';
import { taskDetailShape, tasksPage, tasksQuery, type TasksQuery } from './task.shapes.js';
import { filtersOf, tasksMeeting } from './tasks-filter.js';
import { recordedDispatch, wallAt } from './recorded-dispatch.spec-helper.js';
import { TasksReadModel } from './tasks-read-model.spec-helper.js';

let model: TasksReadModel;
let dispatch: Dispatch;
beforeEach(() => {
  model = new TasksReadModel();
  dispatch = new Dispatch().worker('w');
});
afterEach(() => {
  model.remove();
});

/** The queries, when all that happened has been applied. */
function queries() {
  return model.apply(recordedDispatch(dispatch.events)).queries;
}

const show = (taskId = 't') => taskDetailShape.parse(queries().show(taskId));
const list = (query: Partial<TasksQuery> = {}) =>
  tasksPage.parse(model.queries.list(tasksQuery.parse(query)));
const idsOf = (query: Partial<TasksQuery>) => list(query).items.map(({ taskId }) => taskId);

const cancel = { type: 'cancel', taskId: 't', reason: 'not needed' } as const;

describe('A task', () => {
  test('that was submitted is ready and says what was asked for', () => {
    dispatch.submit({ tags: ['a', 'b'], team: 'core', reserveNanoUsd: 1_500_000_000 });
    expect(show()).toEqual({
      ...{ taskId: 't', state: 'ready', reason: null, agent: 'any', model: null },
      ...{ lane: 'normal', shard: 'impl', size: 'small', team: 'core', project: null },
      ...{ tags: ['a', 'b'], directory: '/work', repository: null, ref: null },
      ...{ permissionMode: null, dependsOn: [], idempotencyKey: null, promptHash: 'hash' },
      ...{ promptCharacters: 4, budgetUsd: '1.500000000', timeoutMs: 86_400_000 },
      ...{ retries: 2, attempts: 0, submittedAt: wallAt(0), startedAt: null, endedAt: null },
      ...{ attemptId: null, workerId: null, sessionId: null, percent: null },
      ...{ resultHash: null, lateResults: [], attemptList: [] },
      ...{ halt: null, conversation: null, allowedTools: [], maxCostUsd: null },
    });
  });

  test('that is to be halted, is paused and goes on says so, with what it carries on', () => {
    dispatch.submit({});
    const { attemptId, fencingToken } = dispatch.run('w');
    const order = { how: 'kill', reason: 'too dear', holder: 'budget:day' } as const;
    dispatch.when({ type: 'halt', target: { taskId: 't' }, ...order });
    expect(show()).toMatchObject({ state: 'running', halt: order, conversation: null });
    const seen = { sessionId: 's', cutOff: null, processesEnded: 1, survivors: [] };
    dispatch.when({ type: 'halted', attemptId, fencingToken, ...seen });
    const conversation = { sessionId: 's', agent: 'claude-code', host: 'h', attemptId };
    const attemptList = [{ end: 'halted', sessionId: 's', error: null }];
    expect(show()).toMatchObject({
      ...{ state: 'paused', reason: 'too dear', halt: order, conversation, attemptList },
    });
    dispatch.when({ type: 'lift', holder: 'budget:day', reason: '' });
    expect(show()).toMatchObject({ state: 'ready', halt: null, conversation });
    dispatch.run('w');
    expect(show()).toMatchObject({ state: 'running', halt: null, conversation });
    dispatch.when({ type: 'worker-gone', workerId: 'w', reason: '' });
    expect(show()).toMatchObject({ state: 'ready', halt: null, conversation: null });
  });

  test('that is retried instead carries nothing on', () => {
    dispatch.submit({});
    const { attemptId, fencingToken } = dispatch.run('w');
    const order = { how: 'pause', reason: '', holder: null } as const;
    dispatch.when({ type: 'halt', target: { taskId: 't' }, ...order });
    const seen = { sessionId: 's', cutOff: null, processesEnded: 1, survivors: [] };
    dispatch.when({ type: 'halted', attemptId, fencingToken, ...seen });
    dispatch.when({ type: 'retry', taskId: 't' });
    expect(show()).toMatchObject({ state: 'ready', halt: null, conversation: null });
  });

  test('that is resumed before it was halted is not to be halted any more', () => {
    dispatch.submit({});
    dispatch.run('w');
    const order = { how: 'pause', reason: '', holder: null } as const;
    dispatch.when({ type: 'halt', target: { taskId: 't' }, ...order });
    dispatch.when({ type: 'resume-task', taskId: 't', reason: '' });
    expect(show()).toMatchObject({ state: 'running', halt: null });
  });

  test('that runs names its attempt, whose it is and how far it is', () => {
    dispatch.submit({}).later(1_000);
    const { attemptId, fencingToken } = dispatch.run('w');
    dispatch.later(1_000);
    dispatch.when({ type: 'progress', attemptId, fencingToken, sessionId: 's', percent: 40 });
    expect(show()).toMatchObject({
      ...{ state: 'running', attempts: 1, startedAt: wallAt(1_000), budgetUsd: null },
      ...{ attemptId: 'a1', workerId: 'w', sessionId: 's', percent: 40 },
      attemptList: [
        {
          ...{ attemptId: 'a1', workerId: 'w', agent: 'claude-code', provider: 'anthropic' },
          ...{ account: 'one', stolen: false, fencingToken: 1, waitedMs: 1_000 },
          ...{ claimedAt: wallAt(1_000), startedAt: wallAt(1_000), endedAt: null, end: null },
          ...{ sessionId: 's', percent: 40, durationMs: null, error: null },
        },
      ],
    });
  });

  test('that completed makes those ready that waited for it alone', () => {
    dispatch.submit({ taskId: 'a' }, { taskId: 'b', lane: 'background' });
    dispatch.submit({ dependsOn: ['a'] }, { taskId: 'both', dependsOn: ['a', 'b'] });
    expect([show().state, show('both').state]).toEqual(['waiting', 'waiting']);
    dispatch.complete(dispatch.run('w'));
    expect(show('a')).toMatchObject({ state: 'completed', attemptId: 'a1', resultHash: 'result' });
    expect([show().state, show('both').state]).toEqual(['ready', 'waiting']);
  });

  test('that failed is delayed, and says with what', () => {
    dispatch.submit({});
    dispatch.fail(dispatch.run('w'), { error: 'it broke' });
    expect(show()).toMatchObject({
      ...{ state: 'delayed', reason: 'it broke', attemptId: null, endedAt: null },
      attemptList: [{ end: 'failed', error: 'it broke', durationMs: 0 }],
    });
    dispatch.when({ type: 'retry', taskId: 't' });
    expect(show()).toMatchObject({ state: 'ready', reason: null });
  });

  test('that used up its attempts is parked, and ready again when it is replayed', () => {
    dispatch.submit({ attemptsMax: 1 });
    dispatch.fail(dispatch.run('w'));
    const reason = 'The last of 1 attempts ended so: it broke';
    expect(show()).toMatchObject({ state: 'parked', reason, endedAt: wallAt(0) });
    expect(show().attemptList).toMatchObject([{ end: 'failed' }]);
    dispatch.when({ type: 'replay', taskId: 't' });
    expect(show()).toMatchObject({ state: 'ready', reason: null, endedAt: null, attempts: 1 });
  });

  test.each([
    ['cancel', 'cancelled'],
    ['park', 'parked'],
  ] as const)('on which somebody calls %s while it runs loses its attempt', (type, state) => {
    dispatch.submit({});
    dispatch.run('w');
    dispatch.later(3_000).when({ ...cancel, type });
    expect(show()).toMatchObject({
      ...{ state, reason: 'not needed', attemptId: null, endedAt: wallAt(3_000) },
      attemptList: [{ end: state, error: 'not needed', endedAt: wallAt(3_000), durationMs: 3_000 }],
    });
  });

  test('keeps what a lost attempt brings late, and takes it as its result when told to', () => {
    dispatch.submit({});
    const lost = dispatch.run('w');
    dispatch.when({ ...cancel, type: 'park' });
    dispatch.complete(lost, 'late');
    const late = { attemptId: 'a1', resultHash: 'late' };
    expect(show()).toMatchObject({ state: 'parked', resultHash: null, lateResults: [late] });
    dispatch.when({ type: 'adopt-late-result', taskId: 't', attemptId: 'a1' });
    expect(show()).toMatchObject({
      ...{ state: 'completed', attemptId: 'a1', workerId: 'w', resultHash: 'late' },
      ...{ lateResults: [late], attemptList: [{ end: 'parked' }] },
    });
  });

  test.each<[string, string, Record<string, Sign>]>([
    ['its worker fell silent', 'lease-expired', {}],
    ['its agent did not get on', 'stalled', { a1: { beatMs: 301_000, progressMs: 0 } }],
    ['it took too long', 'timeout', { a1: { beatMs: 301_000, progressMs: 301_000 } }],
  ])('tells that %s', (_, end, signs) => {
    dispatch.submit({ timeoutMs: 300_000 });
    dispatch.run('w');
    dispatch.later(301_000).tick(new Map(Object.entries(signs)));
    const { state, attemptList } = show();
    expect([state, attemptList[0]?.end]).toEqual(['delayed', end]);
    expect(attemptList[0]?.error).not.toBeNull();
  });

  test('tells that it was given back, and that its provider refused', () => {
    dispatch.submit({}, { taskId: 'other' });
    const [given, refused] = [dispatch.run('w'), dispatch.run('w')];
    dispatch.when({ type: 'release', ...given, reason: 'going home' });
    dispatch.fail(refused, { coolDown: { cause: 'rate-limit', retryAfterMs: 9, random: 0 } });
    expect(show()).toMatchObject({ state: 'ready', attemptList: [{ end: 'released' }] });
    expect(show('other')).toMatchObject({ attemptList: [{ end: 'cooled-down' }] });
  });

  test('takes the place of one with its id that dispatch has forgotten', () => {
    dispatch.submit({ tags: ['old'] });
    dispatch.complete(dispatch.run('w'));
    dispatch.apply({ type: 'TaskSubmitted', data: { ...task({ team: 'core' }), atMs: 9 } });
    const anew = { state: 'ready', team: 'core', attempts: 0, resultHash: null, attemptList: [] };
    expect(show()).toMatchObject(anew);
    expect([idsOf({}), idsOf({ tag: 'old' })]).toEqual([['t'], []]);
    expect(queries().versionsOf('t').versions).toEqual([6]);
  });

  test('that nobody knows is refused', () => {
    dispatch.submit({});
    expect(() => show('nobody')).toThrow('There is no task nobody');
    expect(() => queries().versionsOf('nobody')).toThrow('There is no task nobody');
  });
});

describe('The events that concern a task', () => {
  test('are its own and what it waited for to complete', () => {
    dispatch.submit({ taskId: 'a' }, { taskId: 't', dependsOn: ['a'] });
    dispatch.complete(dispatch.run('w'));
    // 1 worker, 2 and 3 submissions, 4 claim and 5 start of the other, 6 its completion
    expect(queries().versionsOf('t')).toEqual({ versions: [3, 6], omitted: 0 });
  });

  test('are also the end of the task with which it was cancelled', () => {
    dispatch.submit({ taskId: 'a' }, { taskId: 't', dependsOn: ['a'] });
    dispatch.when({ ...cancel, taskId: 'a' });
    expect(queries().versionsOf('t')).toEqual({ versions: [3, 4, 5], omitted: 0 });
  });

  test('are the first and the newest when they are many', () => {
    dispatch.submit({});
    for (let turn = 0; turn < 300; turn += 1) {
      const lane = turn % 2 === 0 ? 'critical' : 'normal';
      dispatch.when({ type: 'reprioritise', taskId: 't', lane });
    }
    const { versions, omitted } = queries().versionsOf('t');
    expect([versions.length, omitted]).toEqual([200, 101]);
    expect([versions[0], versions[1], versions.at(-1)]).toEqual([2, 104, 302]);
  });
});

describe('Tasks', () => {
  beforeEach(() => {
    dispatch
      .worker('x', { seats: [{ ...claude, agent: 'codex' }] })
      .submit({ taskId: '1', lane: 'critical', tags: ['night'], project: 'shop' })
      .submit({ taskId: '2', shard: 'review', team: 'core', project: 'shop' })
      .submit({ taskId: '3', agent: 'codex', tags: ['night', 'day'], team: 'core' });
    dispatch.run('w');
    queries();
  });

  test('are listed by when they were submitted, the newest first, page by page', () => {
    const first = list({ limit: 2 });
    expect(first.items.map(({ taskId }) => taskId)).toEqual(['3', '2']);
    const rest = list({ limit: 2, cursor: first.nextCursor! });
    expect(rest).toMatchObject({ items: [{ taskId: '1' }], nextCursor: null });
  });

  test.each<[Partial<TasksQuery>, string[]]>([
    [{ state: 'running' }, ['1']],
    [{ state: 'ready' }, ['3', '2']],
    [{ lane: 'critical' }, ['1']],
    [{ shard: 'review' }, ['2']],
    [{ agent: 'codex' }, ['3']],
    [{ agent: 'any' }, ['2', '1']],
    [{ team: 'core' }, ['3', '2']],
    [{ project: 'shop' }, ['2', '1']],
    [{ tag: 'night' }, ['3', '1']],
    [{ tag: 'night', agent: 'any' }, ['1']],
    [{ team: 'core', project: 'shop', state: 'ready' }, ['2']],
    [{ tag: 'night', team: 'core' }, ['3']],
    [{ tag: 'day', project: 'shop' }, []],
  ])('are found by %j', (query, ids) => {
    expect(idsOf(query)).toEqual(ids);
  });

  test('are found page by page also by a tag', () => {
    const { nextCursor } = list({ tag: 'night', limit: 1 });
    expect(idsOf({ tag: 'night', cursor: nextCursor! })).toEqual(['1']);
  });

  test('are counted by lane and state', () => {
    expect(model.queries.counts()).toEqual([
      { lane: 'critical', state: 'running', tasks: 1 },
      { lane: 'normal', state: 'ready', tasks: 2 },
    ]);
  });

  const filter = { tag: 'g', project: 'p', team: 'm', state: 'ready', lane: 'normal' } as const;
  const filters = filtersOf({ ...filter, shard: 'impl', agent: 'any' });

  test.each([undefined, ...filters])(
    'are found without sorting or looking at all, walking %s',
    (walked) => {
      const given = walked === undefined ? [] : filters;
      const db = new Database(model.file, { readonly: true });
      const plan = db
        .prepare(`EXPLAIN QUERY PLAN SELECT task.id ${tasksMeeting(given, walked)}`)
        .all({ ...filter, shard: 'impl', agent: 'any', before: 9 }) as { detail: string }[];
      db.close();
      expect(plan.length).toBeGreaterThan(0);
      for (const { detail } of plan) expect(detail).not.toMatch(/SCAN|TEMP B-TREE/);
    },
  );
});

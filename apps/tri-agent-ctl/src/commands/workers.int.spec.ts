import { aTask, harmful, hostile } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const stub = stubbed();

describe('workers', () => {
  const worker = (given: Record<string, unknown> = {}) => ({
    workerId: 'worker-1',
    host: 'den',
    shards: ['impl', 'review'],
    seats: [
      { agent: 'claude-code', provider: 'anthropic', account: 'default', models: [] },
      { agent: 'codex', provider: 'openai', account: 'team-b', models: [] },
    ],
    slots: 2,
    agents: [
      { name: 'claude-code', version: '2.1.329' },
      { name: 'codex', version: null },
    ],
    containment: 'cgroup',
    running: 1,
    attempts: [{ attemptId: 'attempt-1', taskId: 'task-1' }],
    ...given,
  });

  test('list shows who works on what', async () => {
    stub.server.answers['/api/v1/workers'] = [worker()];
    const { exit, out } = await run(stub.env, ['workers']);
    expect(exit).toBe(0);
    expect(out).toMatch(
      /worker-1 +den +impl, review +claude-code, codex of team-b +2.1.329, \? +1 of 2 +task-1\n/,
    );
    const { out: json } = await run(stub.env, ['workers', 'list', '--json']);
    expect(JSON.parse(json)).toEqual({ items: [worker()], nextCursor: null });
    stub.server.answers['/api/v1/workers'] = [];
    expect((await run(stub.env, ['workers'])).out).toContain('what is queued waits for one');
  });

  test('show tells the versions of its agents, and what holds them together', async () => {
    stub.server.answers['/api/v1/workers'] = [worker()];
    const { out } = await run(stub.env, ['workers', 'show', 'worker-1']);
    expect(out).toMatch(/versions +claude-code 2.1.329, codex \(version unknown\)\n/);
    expect(out).toMatch(/containment +cgroup\n/);
  });

  test('leave dismisses one, and says what becomes of its work', async () => {
    const { exit, out } = await run(stub.env, ['workers', 'leave', 'w/1', '--reason', 'gone']);
    expect(exit).toBe(0);
    expect(out).toContain('Worker w/1 has been dismissed and ends. What it held is given back');
    expect(stub.server.posted).toEqual([{ reason: 'gone' }]);
    const { out: json } = await run(stub.env, ['workers', 'leave', 'w/1', '--json']);
    expect(JSON.parse(json)).toEqual({ workerId: 'w/1', left: true });
  });

  test('leave names a worker that there is not', async () => {
    const detail = 'There is no worker.';
    stub.server.refusals['/api/v1/workers/w/leave'] = {
      status: 404,
      code: 'WORKER_NOT_FOUND',
      detail,
    };
    const { exit, err } = await run(stub.env, ['workers', 'leave', 'w']);
    expect(exit).toBe(1);
    expect(err).toContain('There is no worker "w".\nSee which there are');
  });
});

describe('dead-letter', () => {
  const parked = (taskId: string, given: Record<string, unknown> = {}) =>
    aTask({
      taskId,
      status: 'parked',
      reason: 'no disk',
      endedAt: '2026-11-20T11:50:00Z',
      ...given,
    });
  const accept = (...ids: string[]): void => {
    for (const id of ids) stub.server.answers[`/api/v1/tasks/${id}/replay`] = aTask({ taskId: id });
  };
  const refuse = (id: string, status: number, code: string, detail: string): void => {
    stub.server.refusals[`/api/v1/tasks/${id}/replay`] = { status, code, detail };
  };

  test('list shows what waits for a person, and why', async () => {
    stub.server.answers['/api/v1/tasks'] = [parked('a')];
    const { out } = await run(stub.env, ['dead-letter']);
    expect(stub.server.requests).toEqual(['GET /api/v1/tasks?state=parked&limit=50']);
    expect(out).toMatch(/a +normal +any +shop +1 +10m +no disk\n/);
    stub.server.answers['/api/v1/tasks'] = [];
    expect((await run(stub.env, ['dead-letter', 'list'])).out).toContain('nothing waits for you');
  });

  test('replay has those run again that are named, each once', async () => {
    accept('a', 'b');
    const { exit, out } = await run(stub.env, ['dead-letter', 'replay', 'a', 'b', 'a']);
    expect(exit).toBe(0);
    expect(out).toContain('2 dead letters run again.');
    expect(stub.server.requests).toEqual([
      'POST /api/v1/tasks/a/replay',
      'POST /api/v1/tasks/b/replay',
    ]);
    expect(stub.server.posted).toEqual([{}, {}]);
  });

  test('replay --all takes every page', async () => {
    const ids = Array.from({ length: 501 }, (_, at) => `t${at}`);
    stub.server.answers['/api/v1/tasks'] = ids.map((id) => parked(id));
    accept(...ids);
    const { out } = await run(stub.env, ['dead-letter', 'replay', '--all', '--json']);
    expect(JSON.parse(out)).toEqual({ replayed: ids, refused: [] });
    expect(stub.server.requests.slice(0, 2)).toEqual([
      'GET /api/v1/tasks?state=parked&limit=500',
      'GET /api/v1/tasks?state=parked&limit=500&cursor=500',
    ]);
  });

  test('replay --all is content when there are none', async () => {
    stub.server.answers['/api/v1/tasks'] = [];
    const { exit, out } = await run(stub.env, ['dead-letter', 'replay', '--all']);
    expect({ exit, out }).toEqual({ exit: 0, out: 'Nothing was replayed.\n' });
  });

  test('one that is refused does not keep the others, is named, and makes the command fail', async () => {
    accept('a', 'c');
    refuse('b', 409, 'ILLEGAL_MOVE', 'Task b is ready.');
    const argv = ['dead-letter', 'replay', 'a', 'b', 'c'];
    const { exit, out, err } = await run(stub.env, argv);
    expect(exit).toBe(1);
    expect(out).toContain('2 dead letters run again.');
    expect(err).toBe('Refused: 1.\nb: The server refused: Task b is ready.\n');
    const { out: json } = await run(stub.env, [...argv, '--json']);
    expect(JSON.parse(json)).toMatchObject({
      replayed: ['a', 'c'],
      refused: [{ taskId: 'b', code: 'ILLEGAL_MOVE' }],
    });
  });

  test('a server that takes nothing any more ends it, and it tells how far it came', async () => {
    accept('a', 'c');
    refuse('b', 503, 'LOG_UNAVAILABLE', 'The disk is full.');
    const { exit, err } = await run(stub.env, ['dead-letter', 'replay', 'a', 'b', 'c']);
    expect(exit).toBe(1);
    expect(err).toContain('The disk is full. 1 were replayed before that.');
    expect(stub.server.requests).toHaveLength(2);
  });

  test.each([[['replay']], [['replay', 'a', '--all']], [['burn']]])(
    '%j is not understood',
    async (argv) => {
      const { exit, out } = await run(stub.env, ['dead-letter', ...argv]);
      expect({ exit, out, requests: stub.server.requests }).toEqual({
        exit: 2,
        out: '',
        requests: [],
      });
    },
  );
});

test('Nothing that an agent or a worker wrote reaches the terminal as more than text', async () => {
  const seats = [{ agent: hostile, account: hostile }];
  const attempts = [{ attemptId: hostile, taskId: hostile }];
  stub.server.answers['/api/v1/workers'] = [
    { workerId: hostile, host: hostile, shards: [hostile], seats, slots: 1, running: 1, attempts },
  ];
  stub.server.answers['/api/v1/tasks'] = [
    aTask({ taskId: hostile, reason: hostile, lane: hostile }),
  ];
  const escaped = encodeURIComponent(hostile);
  stub.server.refusals[`/api/v1/tasks/${escaped}/replay`] = {
    ...{ status: 409, code: 'ILLEGAL_MOVE', detail: hostile },
  };
  stub.server.answers[`/api/v1/workers/${escaped}/leave`] = { workerId: hostile };
  for (const argv of [
    ['workers'],
    ['workers', 'leave', hostile],
    ['dead-letter'],
    ['dead-letter', 'replay', '--all'],
  ]) {
    for (const as of [[], ['--json']]) {
      const { out, err } = await run(stub.env, [...argv, ...as]);
      expect(out + err).toMatch(/\S/);
      expect(out + err).not.toMatch(harmful);
      if (as.length === 0) expect(out + err).not.toMatch(/^(second line|third)/m);
    }
  }
});

import { aTask, anAttempt, harmful, hostile, taskId } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const stub = stubbed();

const path = `/api/v1/tasks/${taskId}`;
const missing = { status: 404, code: 'TASK_NOT_FOUND', detail: 'There is no task.' };

describe('tasks list', () => {
  test('shows the tasks, how far they are and why they stand still', async () => {
    stub.server.answers['/api/v1/tasks'] = [
      aTask(),
      aTask({ state: 'running', percent: 40 }),
      aTask({ state: 'delayed', reason: 'It failed: no disk' }),
    ];
    const { exit, out } = await run(stub.env, ['tasks']);
    expect(exit).toBe(0);
    expect(out).toMatch(new RegExp(`${taskId} +ready +normal +impl +any +– +shop +1 +1h 0m\n`));
    expect(out).toMatch(/running 40% /);
    expect(out).toMatch(/delayed .* It failed: no disk\n/);
  });

  test('asks the server for what is to be shown', async () => {
    stub.server.answers['/api/v1/tasks'] = [];
    const filters = ['--state', 'parked', '--lane', 'critical', '--shard', 'review'];
    const others = ['--agent', 'claude', '--team', 'web', '--project', 'p q', '--tag', 'a&b'];
    const { out } = await run(stub.env, ['tasks', 'list', ...filters, ...others, '--limit', '7']);
    expect(stub.server.requests).toEqual([
      'GET /api/v1/tasks?state=parked&lane=critical&shard=review&team=web&project=p+q&tag=a%26b&agent=claude-code&limit=7',
    ]);
    expect(out).toContain('No such tasks. "tri-agent-ctl tasks submit --help"');
  });

  test('goes through the pages up to its limit, and says when there are more', async () => {
    stub.server.answers['/api/v1/tasks'] = Array.from({ length: 1_200 }, () => aTask());
    const { out, err } = await run(stub.env, ['tasks', 'list', '--limit', '1100']);
    expect(out.trim().split('\n')).toHaveLength(1_101);
    expect(err).toBe('There are more: these are the newest 1100. See --limit.\n');
    expect(stub.server.requests).toHaveLength(3);
  });

  test('prints the answer with --json', async () => {
    stub.server.answers['/api/v1/tasks'] = [aTask({ unheardOf: 1 })];
    const { out } = await run(stub.env, ['tasks', 'list', '--json']);
    expect(JSON.parse(out)).toEqual({ items: [aTask({ unheardOf: 1 })], nextCursor: null });
  });

  test.each([
    [['--lane', 'urgent'], /lane.*Allowed choices are critical, normal, background/],
    [['--state', 'done'], /Allowed choices are waiting, ready/],
    [['--shard', 'test'], /Allowed choices are impl, review, architect/],
    [['--agent', 'cursor'], /Allowed choices are claude, claude-code, codex, gemini, any/],
    [['--limit', '0'], /whole number/],
    [['--team', ''], /1 to 200 characters/],
  ])('%j is not understood', async (argv, said) => {
    const { exit, out, err } = await run(stub.env, ['tasks', 'list', ...argv]);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toMatch(said);
    expect(stub.server.requests).toEqual([]);
  });
});

describe('tasks show', () => {
  test('tells all that is known of a task, and its attempts', async () => {
    stub.server.answers[path] = aTask({
      dependsOn: ['other'],
      lateResults: [{ attemptId: 'attempt-1', resultHash: 'def' }],
      attemptList: [anAttempt(), anAttempt({ end: null, error: null, durationMs: null })],
    });
    const { exit, out } = await run(stub.env, ['tasks', 'show', taskId]);
    expect(exit).toBe(0);
    expect(out).toMatch(/prompt +1,234 characters\n/);
    expect(out).toMatch(/budget +\$1\.5000 each attempt\n/);
    expect(out).toMatch(/timeout +1h 0m\n/);
    expect(out).toMatch(/submitted +2026-11-20 11:00:00Z \(1h 0m ago\)\n/);
    expect(out).toMatch(/late results +of attempt-1; take one with "tasks adopt"\n/);
    expect(out).toMatch(/attempt-1 +worker-1 +codex +– +30m +340ms +10m +failed +no disk\n/);
    expect(out).toMatch(/attempt-1 +worker-1 +codex +– +30m +340ms +– +runs\n/);
    expect(out).not.toMatch(/permission mode|session|ended/);
  });

  test('shows a task of a server that tells less', async () => {
    stub.server.answers[path] = {
      taskId,
      state: 'ready',
      agent: 'any',
      lane: 'normal',
      shard: 'impl',
    };
    expect((await run(stub.env, ['tasks', 'show', taskId])).out).toMatch(/state +ready\n/);
  });

  test('says how to find a task that there is not', async () => {
    stub.server.refusals[path] = missing;
    const { exit, err } = await run(stub.env, ['tasks', 'show', taskId]);
    expect(exit).toBe(1);
    expect(err).toContain(`There is no task "${taskId}".\nGive its whole id`);
  });

  test('asks for an id as one part of a path', async () => {
    await run(stub.env, ['tasks', 'show', 'a/../b?c#d']);
    expect(stub.server.requests).toEqual(['GET /api/v1/tasks/a%2F..%2Fb%3Fc%23d']);
  });
});

describe('tasks why', () => {
  const why = (given: Record<string, unknown> = {}) => ({
    taskId,
    state: 'ready',
    now: ['It waits for a worker: 2 are before it.'],
    omittedEvents: 0,
    chain: [
      {
        version: 3,
        at: '2026-11-20T11:00:00.000Z',
        type: 'TaskSubmitted',
        what: 'Submitted.',
        by: 'operator',
        becauseOf: null,
      },
      {
        version: 5,
        at: '2026-11-20T11:30:00.000Z',
        type: 'TaskClaimed',
        what: 'Claimed.',
        by: 'worker-1',
        becauseOf: 3,
      },
      {
        version: 9,
        at: '2026-11-20T11:40:00.000Z',
        type: 'AttemptFailed',
        what: 'No disk.',
        by: 'worker-1',
        becauseOf: 5,
      },
      {
        version: 12,
        at: '2026-11-20T11:50:00.000Z',
        type: 'TaskRetried',
        what: 'Retried.',
        by: 'operator',
        becauseOf: null,
      },
    ],
    ...given,
  });

  test('tells what it waits for, and what came of what, by the clocks of this place', async () => {
    stub.server.answers[`${path}/why`] = why();
    const { exit, out } = await run(stub.env, ['tasks', 'why', taskId], { timeZone: 'Asia/Tokyo' });
    expect({ exit, out }).toEqual({
      exit: 0,
      out: [
        `Task ${taskId} is ready.`,
        '  It waits for a worker: 2 are before it.',
        '',
        '2026-11-20 20:00:00  TaskSubmitted  Submitted. (operator)',
        '2026-11-20 20:30:00    TaskClaimed  Claimed. (worker-1)',
        '2026-11-20 20:40:00      AttemptFailed  No disk. (worker-1)',
        '2026-11-20 20:50:00  TaskRetried  Retried. (operator)',
        '',
      ].join('\n'),
    });
  });

  test('says where events are left out, and that nothing is waited for', async () => {
    stub.server.answers[`${path}/why`] = why({ omittedEvents: 40, now: [], state: 'completed' });
    const lines = (await run(stub.env, ['tasks', 'why', taskId])).out.split('\n');
    expect(lines[1]).toBe('  It waits for nothing.');
    expect(lines[4]).toBe('... 40 events are left out here ...');
  });

  test('stays readable for causes without end, and for times that are none', async () => {
    const chain = Array.from({ length: 100 }, (_, at) => ({
      ...{ version: at, at: 'then', type: 'X', what: 'y', becauseOf: at - 1 },
    }));
    stub.server.answers[`${path}/why`] = why({ chain });
    const { out } = await run(stub.env, ['tasks', 'why', taskId]);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(60);
  });

  test('prints the answer with --json', async () => {
    stub.server.answers[`${path}/why`] = why();
    expect(JSON.parse((await run(stub.env, ['tasks', 'why', taskId, '--json'])).out)).toEqual(
      why(),
    );
  });
});

describe('Moving a task', () => {
  test.each([
    [['cancel', taskId, '--reason', 'not now'], { reason: 'not now' }, 'depends on it'],
    [['cancel', taskId], {}, 'depends on it'],
    [['park', taskId, '--reason', 'later'], { reason: 'later' }, 'dead letters'],
    [['retry', taskId], {}, 'tasks why'],
    [['pause', taskId, '--reason', 'lunch'], { reason: 'lunch' }, 'tasks resume'],
    [['pause', taskId, '--kill'], { kill: true }, 'tasks resume'],
    [['resume', taskId], {}, 'tasks why'],
    [['priority', taskId, 'critical'], { lane: 'critical' }, 'lane is normal'],
    [['adopt', taskId, 'attempt-1'], { attemptId: 'attempt-1' }, 'late result'],
  ])('%j asks for it, and tells what it is then', async (argv, body, said) => {
    const moved = `${path}/${argv[0] ?? ''}`;
    stub.server.answers[moved] = aTask({ state: 'cancelled' });
    const { exit, out, err } = await run(stub.env, ['tasks', ...argv]);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toContain(`Task ${taskId} is cancelled.\n`);
    expect(out).toContain(said);
    expect(stub.server.requests).toEqual([`POST ${moved}`]);
    expect(stub.server.posted).toEqual([body]);
    const { out: json } = await run(stub.env, ['tasks', ...argv, '--json']);
    expect(JSON.parse(json)).toEqual(aTask({ state: 'cancelled' }));
  });

  test('fails with the reason of the stub.server, as programs understand it, too', async () => {
    const detail = 'Task t is completed and cannot be cancelled. Submit it anew.';
    stub.server.refusals[`${path}/cancel`] = { status: 409, code: 'ILLEGAL_MOVE', detail };
    const { exit, err } = await run(stub.env, ['tasks', 'cancel', taskId, '--json']);
    expect(exit).toBe(1);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'ILLEGAL_MOVE' } });
    expect(err).toContain('Submit it anew.');
    stub.server.refusals[`${path}/retry`] = missing;
    expect((await run(stub.env, ['tasks', 'retry', taskId])).err).toContain('There is no task');
  });

  test.each([
    [['priority', taskId, 'urgent']],
    [['priority', taskId]],
    [['adopt', taskId]],
    [['cancel']],
    [['cancel', '']],
    [['cancel', taskId, '--reason', 'a'.repeat(501)]],
    [['burn', taskId]],
  ])('%j is not understood', async (argv) => {
    const { exit, out } = await run(stub.env, ['tasks', ...argv]);
    expect({ exit, out, posted: stub.server.posted }).toEqual({ exit: 2, out: '', posted: [] });
  });
});

test('Nothing that an agent wrote reaches the terminal as more than text', async () => {
  const texts = {
    reason: hostile,
    halt: { how: hostile, reason: hostile, holder: hostile },
    conversation: { sessionId: hostile, host: hostile, attemptId: 'a' },
    allowedTools: [hostile],
    agent: hostile,
    model: hostile,
    project: hostile,
    lane: hostile,
  };
  const evil = aTask({ ...texts, tags: [hostile], attemptList: [anAttempt({ error: hostile })] });
  stub.server.answers['/api/v1/tasks'] = [evil];
  stub.server.answers[path] = evil;
  stub.server.answers[`${path}/priority`] = aTask({
    taskId: hostile,
    state: hostile,
    lane: hostile,
  });
  const event = { version: 1, at: hostile, type: hostile, what: hostile, by: hostile };
  stub.server.answers[`${path}/why`] = {
    taskId: hostile,
    state: hostile,
    now: [hostile],
    chain: [event],
  };
  stub.server.refusals[`${path}/cancel`] = { status: 409, code: 'ILLEGAL_MOVE', detail: hostile };
  for (const argv of [
    ['list'],
    ['show', taskId],
    ['why', taskId],
    ['priority', taskId, 'normal'],
    ['cancel', taskId],
    ['show', hostile],
  ]) {
    for (const as of [[], ['--json']]) {
      const { out, err } = await run(stub.env, ['tasks', ...argv, ...as]);
      expect(out + err).toMatch(/\S/);
      expect(out + err).not.toMatch(harmful);
      if (as.length === 0) expect(out + err).not.toMatch(/^(second line|third)/m);
    }
  }
});

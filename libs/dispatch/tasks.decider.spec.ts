import { limits } from '#kernel/limits.js';
import { Dispatch, task } from './dispatch.spec-helper.js';

const reason = 'because';

describe('Submitting', () => {
  test('queues each task of a batch', () => {
    const dispatch = new Dispatch().submit({ taskId: 'a' }, { taskId: 'b' });
    expect(dispatch.events.map(({ type }) => type)).toEqual(['TaskSubmitted', 'TaskSubmitted']);
    expect(dispatch.state.ready.length).toBe(2);
  });

  test('of more tasks than a batch may have is refused', () => {
    const tasks = Array.from({ length: limits.tasksPerBatchMax + 1 }, (_, index) =>
      task({ taskId: `t${index}` }),
    );
    expect(new Dispatch().refusal({ type: 'submit', tasks })).toBe('BAD_REQUEST');
  });
});

describe('An idempotency key', () => {
  const key = { idempotencyKey: 'k' };

  test('that comes again with the same contents changes nothing', () => {
    const dispatch = new Dispatch().submit({ ...key, taskId: 'a' });
    expect(dispatch.types({ type: 'submit', tasks: [task({ ...key, taskId: 'b' })] })).toEqual([]);
    expect(dispatch.state.taskByKey.get('k')).toBe('a');
  });

  test('that comes twice in one batch is one task', () => {
    const dispatch = new Dispatch().submit({ ...key, taskId: 'a' }, { ...key, taskId: 'b' });
    expect([...dispatch.state.tasks.keys()]).toEqual(['a']);
  });

  test.each([{ promptHash: 'other' }, { lane: 'critical' as const }, { tags: ['x'] }])(
    'that comes again with other contents is refused: %j',
    (other) => {
      const dispatch = new Dispatch().submit({ ...key, taskId: 'a' });
      const again = task({ ...key, ...other, taskId: 'b' });
      expect(dispatch.refusal({ type: 'submit', tasks: [again] })).toBe('IDEMPOTENCY_KEY_REUSED');
    },
  );

  test('holds after the task has ended', () => {
    const dispatch = new Dispatch().submit({ ...key, taskId: 'a' }).worker('w');
    dispatch.complete(dispatch.run('w'));
    expect(dispatch.types({ type: 'submit', tasks: [task({ ...key, taskId: 'b' })] })).toEqual([]);
  });

  test('of a batch that was sent again stands for the tasks of the first time in dependencies', () => {
    const batch = (a: string, b: string) => [
      task({ taskId: a, idempotencyKey: 'ka' }),
      task({ taskId: b, idempotencyKey: 'kb', dependsOn: [a] }),
    ];
    const dispatch = new Dispatch().submit(...batch('a', 'b'));
    expect(dispatch.types({ type: 'submit', tasks: batch('a2', 'b2') })).toEqual([]);
  });

  test('of the same task under its own id changes nothing either', () => {
    const dispatch = new Dispatch().submit({ taskId: 'a' });
    expect(dispatch.types({ type: 'submit', tasks: [task({ taskId: 'a' })] })).toEqual([]);
    const other = task({ taskId: 'a', promptHash: 'other' });
    expect(dispatch.refusal({ type: 'submit', tasks: [other] })).toBe('IDEMPOTENCY_KEY_REUSED');
  });
});

describe('A task with dependencies', () => {
  test('is claimed when the last of them has completed, not before', () => {
    const dispatch = new Dispatch().worker('w');
    dispatch.submit({ taskId: 'c', dependsOn: ['a', 'b'] }, { taskId: 'a' }, { taskId: 'b' });
    const [first, second] = [dispatch.run('w'), dispatch.run('w')];
    dispatch.complete(first);
    expect(dispatch.claim('w')).toBeUndefined();
    dispatch.complete(second);
    expect(dispatch.claim('w')).toBe('c');
  });

  test('on what has completed already is ready at once', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' });
    dispatch.complete(dispatch.run('w'));
    dispatch.submit({ taskId: 'b', dependsOn: ['a'] });
    expect(dispatch.status('b')).toBe('ready');
  });

  test.each([
    [[task({ taskId: 'a', dependsOn: ['a'] })], 'CYCLIC_DEPENDENCIES'],
    [
      [
        task({ taskId: 'a', dependsOn: ['b'] }),
        task({ taskId: 'b', dependsOn: ['c'] }),
        task({ taskId: 'c', dependsOn: ['a'] }),
        task({ taskId: 'free' }),
      ],
      'CYCLIC_DEPENDENCIES',
    ],
    [
      [task({ taskId: 'free' }), task({ taskId: 'a', dependsOn: ['nobody'] })],
      'DEPENDENCY_NOT_FOUND',
    ],
  ])('that cannot be met refuses the whole batch (%#)', (tasks, code) => {
    const dispatch = new Dispatch();
    expect(dispatch.refusal({ type: 'submit', tasks })).toBe(code);
    expect(dispatch.state.tasks.size).toBe(0);
  });

  test('waits while one of them is parked, and goes with one that is cancelled', () => {
    const dispatch = new Dispatch();
    dispatch.submit({ taskId: 'a' }, { taskId: 'b', dependsOn: ['a'] });
    dispatch.submit({ taskId: 'c', dependsOn: ['b'] });
    dispatch.when({ type: 'park', taskId: 'a', reason });
    expect(['b', 'c'].map((it) => dispatch.status(it))).toEqual(['waiting', 'waiting']);
    const events = dispatch.when({ type: 'cancel', taskId: 'a', reason });
    expect(events.map(({ data }) => 'becauseOfTaskId' in data && data.becauseOfTaskId)).toEqual([
      null,
      'a',
      'b',
    ]);
    expect(['a', 'b', 'c'].map((it) => dispatch.status(it))).toEqual(Array(3).fill('cancelled'));
  });

  test('is retried only after what it depends on', () => {
    const dispatch = new Dispatch().submit({ taskId: 'a' }, { taskId: 'b', dependsOn: ['a'] });
    dispatch.when({ type: 'cancel', taskId: 'a', reason });
    expect(dispatch.refusal({ type: 'retry', taskId: 'b' })).toBe('ILLEGAL_MOVE');
    dispatch.when({ type: 'retry', taskId: 'a' });
    dispatch.when({ type: 'retry', taskId: 'b' });
    expect(['a', 'b'].map((it) => dispatch.status(it))).toEqual(['ready', 'waiting']);
  });

  test('on a cancelled one is refused', () => {
    const dispatch = new Dispatch().submit({ taskId: 'a' });
    dispatch.when({ type: 'cancel', taskId: 'a', reason });
    const tasks = [task({ taskId: 'b', dependsOn: ['a'] })];
    expect(dispatch.refusal({ type: 'submit', tasks })).toBe('ILLEGAL_MOVE');
  });
});

describe('What may be done with a task', () => {
  /** A task in each status. */
  function inStatus(status: string): Dispatch {
    const dispatch = new Dispatch().worker('w');
    if (status === 'waiting') return dispatch.submit({ taskId: 'x' }, { dependsOn: ['x'] });
    dispatch.submit({});
    if (status === 'cancelled') dispatch.when({ type: 'cancel', taskId: 't', reason });
    if (status === 'paused') {
      const target = { taskId: 't' };
      dispatch.when({ type: 'halt', target, how: 'pause', reason, holder: null });
    }
    if (status === 'parked') dispatch.when({ type: 'park', taskId: 't', reason });
    if (!['running', 'delayed', 'completed'].includes(status)) return dispatch;
    const attempt = dispatch.run('w');
    if (status === 'delayed') dispatch.fail(attempt);
    if (status === 'completed') dispatch.complete(attempt);
    return dispatch;
  }
  const no = 'ILLEGAL_MOVE';

  test.each([
    ['waiting', { cancel: 'cancelled', park: 'parked', retry: 'waiting', replay: no }],
    ['ready', { cancel: 'cancelled', park: 'parked', retry: 'ready', replay: no }],
    ['delayed', { cancel: 'cancelled', park: 'parked', retry: 'ready', replay: no }],
    ['running', { cancel: 'cancelled', park: 'parked', retry: no, replay: no }],
    ['paused', { cancel: 'cancelled', park: 'parked', retry: 'ready', replay: no }],
    ['completed', { cancel: no, park: no, retry: no, replay: no }],
    ['cancelled', { cancel: 'cancelled', park: no, retry: 'ready', replay: no }],
    ['parked', { cancel: 'cancelled', park: 'parked', retry: no, replay: 'ready' }],
  ])('that is %s: %j', (status, moves) => {
    for (const [type, outcome] of Object.entries(moves)) {
      const dispatch = inStatus(status);
      expect(dispatch.status('t')).toBe(status);
      const command = { type: type as 'cancel', taskId: 't', reason };
      const code = dispatch.refusal(command);
      expect({ type, outcome: code ?? dispatch.status('t') }).toEqual({ type, outcome });
      expect(dispatch.state.wip.size > 0).toBe(dispatch.status('t') === 'running');
    }
  });

  test.each(['cancel', 'park', 'retry', 'replay'] as const)(
    '%s is refused of one that nobody knows',
    (type) => {
      expect(new Dispatch().refusal({ type: type as 'cancel', taskId: 'nobody', reason })).toBe(
        'TASK_NOT_FOUND',
      );
    },
  );

  test('another lane puts it before those that it now goes before', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }).later(1);
    dispatch.submit({ taskId: 'b' });
    const command = { type: 'reprioritise', taskId: 'b', lane: 'critical' } as const;
    expect(dispatch.types(command)).toEqual(['TaskReprioritised']);
    expect(dispatch.types(command)).toEqual([]);
    expect([dispatch.claim('w'), dispatch.claim('w')]).toEqual(['b', 'a']);
    dispatch.submit({ taskId: 'done' });
    dispatch.complete(dispatch.run('w'));
    expect(dispatch.refusal({ ...command, taskId: 'done' })).toBe('ILLEGAL_MOVE');
  });

  test('replay gives it all its attempts again', () => {
    const dispatch = new Dispatch().worker('w').submit({ attemptsMax: 1 });
    dispatch.fail(dispatch.run('w'));
    expect(dispatch.status('t')).toBe('parked');
    dispatch.when({ type: 'replay', taskId: 't' });
    expect(dispatch.state.tasks.get('t')?.spentAttempts).toBe(0);
    expect(dispatch.run('w').taskId).toBe('t');
  });
});

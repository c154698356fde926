import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import { claude, codex, Dispatch, task } from './dispatch.spec-helper.js';
import { ReadyQueue } from './ready-queue.js';

const hourMs = 60 * 60_000;
const wish = { attemptId: 'a', budgets: [], leaseMs: limits.leaseMs };

describe('A claim', () => {
  test('gives the task, its token, its lease and the deadline of its size', () => {
    const dispatch = new Dispatch().worker('w').submit({ size: 'large' }).later(250);
    const command = { type: 'claim', workerId: 'w', ...wish } as const;
    expect(dispatch.when(command)).toMatchObject([
      {
        type: 'TaskClaimed',
        data: {
          taskId: 't',
          attemptId: 'a',
          agent: 'claude-code',
          account: 'one',
          fencingToken: 1,
          stolen: false,
          leaseMs: limits.leaseMs,
          progressMs: 30 * 60_000,
          waitedMs: 250,
        },
      },
    ]);
  });

  test('has the lease that this server is configured to give', () => {
    const dispatch = new Dispatch().worker('w').submit({});
    dispatch.when({ type: 'claim', workerId: 'w', ...wish, leaseMs: 90_000 });
    expect(dispatch.later(90_000).tick()).toEqual([]);
    expect(dispatch.later(1).tick()).toEqual(['LeaseExpired']);
  });

  test('that comes again under its id gives nothing new, and to another worker nothing at all', () => {
    const dispatch = new Dispatch()
      .worker('w')
      .worker('v')
      .submit({ taskId: 'a' }, { taskId: 'b' });
    const command = { type: 'claim', workerId: 'w', ...wish } as const;
    expect(dispatch.types(command)).toEqual(['TaskClaimed']);
    expect(dispatch.types(command)).toEqual([]);
    expect(dispatch.refusal({ ...command, workerId: 'v' })).toBe('ILLEGAL_MOVE');
  });

  test('of a worker that nobody knows is refused', () => {
    const command = { type: 'claim', workerId: 'w', ...wish } as const;
    expect(new Dispatch().refusal(command)).toBe('WORKER_NOT_FOUND');
  });

  test('has a higher token each time, also of the same task', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }, { taskId: 'b' });
    const tokens = [dispatch.run('w'), dispatch.run('w')].map((it) => it.fencingToken);
    dispatch.later(limits.leaseMs + 1).tick();
    dispatch.later(limits.retryFirstWaitMs);
    tokens.push(dispatch.run('w').fencingToken, dispatch.run('w').fencingToken);
    expect(tokens).toEqual([1, 2, 3, 4]);
  });

  test('never gives a task twice', () => {
    const dispatch = new Dispatch().worker('v').worker('w').submit({});
    expect([dispatch.claim('v'), dispatch.claim('w')]).toEqual(['t', undefined]);
  });

  test('gives no more than a worker has slots', () => {
    const dispatch = new Dispatch().worker('w', { slots: 1 });
    dispatch.submit({ taskId: 'a' }, { taskId: 'b' });
    const attempt = dispatch.run('w');
    expect(dispatch.claim('w')).toBeUndefined();
    dispatch.complete(attempt);
    expect(dispatch.claim('w')).toBe('b');
  });

  test('goes only to a seat of the agent and with the model that the task wants', () => {
    const seats = [{ ...claude, models: ['sonnet'] }, codex];
    const dispatch = new Dispatch().worker('w', { seats });
    dispatch.submit(
      { taskId: 'a', agent: 'gemini' },
      { taskId: 'b', agent: 'claude-code', model: 'opus' },
    );
    expect(dispatch.claim('w')).toBeUndefined();
    dispatch.submit(
      { taskId: 'c', model: 'opus' },
      { taskId: 'd', agent: 'claude-code', model: 'sonnet' },
    );
    expect([dispatch.claim('w'), dispatch.claim('w')]).toEqual(['c', 'd']);
    const agents = [...dispatch.state.running.values()].map(({ agent }) => agent);
    expect(agents).toEqual(['codex', 'claude-code']);
  });
});

describe('Lanes', () => {
  test('go before each other, and within one the older task', () => {
    const dispatch = new Dispatch().worker('w');
    dispatch.submit({ taskId: 'b1', lane: 'background' }, { taskId: 'n1', lane: 'normal' });
    dispatch.later(1).submit({ taskId: 'n2' }, { taskId: 'c', lane: 'critical' });
    const order = [1, 2, 3, 4].map(() => dispatch.claim('w'));
    expect(order).toEqual(['c', 'n1', 'n2', 'b1']);
  });

  test.each([
    ['normal', limits.normalLaneBehindMs],
    ['background', limits.backgroundLaneBehindMs],
  ] as const)(
    'age: a %s task is overtaken by critical ones for so long and no longer',
    (lane, ms) => {
      for (const [waitedMs, first] of [
        [ms - 1, 'new'],
        [ms + 1, 'old'],
      ] as const) {
        const dispatch = new Dispatch().worker('w').submit({ taskId: 'old', lane }).later(waitedMs);
        expect(dispatch.submit({ taskId: 'new', lane: 'critical' }).claim('w')).toBe(first);
      }
    },
  );

  test('do not starve one another when critical work never ends', () => {
    const dispatch = new Dispatch().worker('w', { slots: 1 });
    dispatch.submit({ taskId: 'patient', lane: 'background' });
    let claimed: string | undefined;
    for (let count = 0; claimed !== 'patient' && count < 200; count += 1) {
      dispatch.submit(
        { taskId: `c${count}a`, lane: 'critical' },
        { taskId: `c${count}b`, lane: 'critical' },
      );
      const attempt = dispatch.run('w');
      claimed = attempt.taskId;
      dispatch.later(60_000).complete(attempt);
    }
    expect(claimed).toBe('patient');
    expect(dispatch.nowMs).toBeGreaterThan(limits.backgroundLaneBehindMs);
    expect(dispatch.nowMs).toBeLessThan(3 * hourMs);
  });
});

describe('Shards', () => {
  test('a worker takes its own first, and steals at once when there is nothing', () => {
    const dispatch = new Dispatch().worker('w', { shards: ['review'] });
    dispatch.submit({ taskId: 'foreign' }, { taskId: 'own', shard: 'review' });
    expect([dispatch.claim('w'), dispatch.claim('w')]).toEqual(['own', 'foreign']);
    const stolen = dispatch.events.flatMap(({ type, data }) =>
      type === 'TaskClaimed' ? [data.stolen] : [],
    );
    expect(stolen).toEqual([false, true]);
  });

  test('without a worker of its own is served although others are always busy', () => {
    const dispatch = new Dispatch()
      .worker('w', { shards: ['review'] })
      .submit({ taskId: 'orphan' });
    dispatch.later(limits.foreignShardBehindMs + 1).submit({ taskId: 'own', shard: 'review' });
    expect(dispatch.claim('w')).toBe('orphan');
  });

  test('a critical task of another goes before a normal one of its own', () => {
    const dispatch = new Dispatch().worker('w', { shards: ['review'] });
    dispatch.submit({ taskId: 'own', shard: 'review' }, { taskId: 'urgent', lane: 'critical' });
    expect(dispatch.claim('w')).toBe('urgent');
  });
});

describe('The ready queue', () => {
  const kind = task();

  test('has the next of each kind at its head, whatever is put in and taken out', () => {
    const step = fc.record({ id: fc.nat(40), dueMs: fc.nat(20), isIn: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const queue = new ReadyQueue();
        const model = new Map<string, { dueMs: number; order: number }>();
        for (const [order, { id, dueMs, isIn }] of steps.entries()) {
          const taskId = `t${id}`;
          queue.take(taskId);
          model.delete(taskId);
          if (isIn) queue.put(kind, { taskId, dueMs, order });
          if (isIn) model.set(taskId, { dueMs, order });
          const first = [...model].sort(
            ([, a], [, b]) => a.dueMs - b.dueMs || a.order - b.order,
          )[0];
          expect([...queue.heads()].map(({ head }) => head.taskId)).toEqual(
            first ? [first[0]] : [],
          );
          expect(queue.length).toBe(model.size);
        }
      }),
    );
  });

  test('stays in order when most of its middle is taken out', () => {
    const queue = new ReadyQueue();
    for (let n = 0; n < 1_000; n += 1) queue.put(kind, { taskId: `t${n}`, dueMs: n, order: n });
    for (let n = 1; n < 1_000; n += 1) queue.take(`t${n}`);
    expect([...queue.heads()].map(({ head }) => head.taskId)).toEqual(['t0']);
    expect(queue.aheadInLine('t0')).toBe(0);
    queue.take('t0');
    expect([...queue.heads()]).toEqual([]);
  });

  test('is looked at once per kind by a claim, however many tasks there are', () => {
    const dispatch = new Dispatch().worker('w');
    const count = 20_000;
    for (let from = 0; from < count; from += limits.tasksPerBatchMax) {
      const tasks = Array.from({ length: limits.tasksPerBatchMax }, (_, index) =>
        task({ taskId: `t${from + index}`, lane: index % 2 ? 'normal' : 'critical' }),
      );
      const events = tasks.map(
        (spec) => ({ type: 'TaskSubmitted', data: { ...spec, atMs: 0 } }) as const,
      );
      for (const event of events) dispatch.apply(event);
    }
    expect(dispatch.state.ready.length).toBe(count);
    expect([...dispatch.state.ready.heads()]).toHaveLength(2);
    expect(dispatch.claim('w')).toBe('t0');
  });
});

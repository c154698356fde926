import { limits } from '#kernel/limits.js';
import { claude, codex, Dispatch, task } from './dispatch.spec-helper.js';

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

describe('A claim, however many tasks there are,', () => {
  const count = 20_000;
  const isSeen = (dispatch: Dispatch) => [...dispatch.state.ready.heads(dispatch.nowMs)].length;

  function filled(): Dispatch {
    const dispatch = new Dispatch().worker('w');
    for (let n = 0; n < count; n += 1) {
      const spec = task({ taskId: `t${n}`, lane: n % 2 ? 'normal' : 'critical' });
      dispatch.apply({ type: 'TaskSubmitted', data: { ...spec, atMs: 0 } });
    }
    return dispatch;
  }

  test('looks at one of each kind', () => {
    const dispatch = filled();
    expect(dispatch.state.ready.length).toBe(count);
    expect(isSeen(dispatch)).toBe(2);
    expect(dispatch.claim('w')).toBe('t0');
  });

  test('looks at none that is delayed, until their time has come, and then at one of each kind', () => {
    const dispatch = filled();
    const { agent, provider, account } = codex;
    const seat = { agent, provider, account, model: null, stolen: false, reservedNanoUsd: 0 };
    const clocks = { leaseMs: 1, progressMs: 1, waitedMs: 0 };
    const failed = { cause: 'error', error: 'it broke', retryable: true, durationMs: 0 } as const;
    for (let n = 0; n < count; n += 1) {
      const ids = { taskId: `t${n}`, attemptId: `early${n}`, fencingToken: n + 1, workerId: 'w' };
      dispatch.apply({ type: 'TaskClaimed', data: { ...ids, ...seat, ...clocks, atMs: 0 } });
      const notBeforeMs = 1_000 + n;
      dispatch.apply({ type: 'AttemptFailed', data: { ...ids, ...failed, notBeforeMs, atMs: 0 } });
    }
    expect([dispatch.state.delayed.size, isSeen(dispatch)]).toEqual([count, 0]);
    expect(dispatch.claim('w')).toBeUndefined();
    expect(isSeen(dispatch.later(1_000 + count))).toBe(2);
    expect(dispatch.claim('w')).toBe('t0');
  });

  test('knows what is settling from a few sums', () => {
    const dispatch = new Dispatch().worker('w');
    const tasks = Array.from({ length: 500 }, (_, n) => ({
      taskId: `t${n}`,
      team: 'core',
      reserveNanoUsd: 1,
    }));
    dispatch.submit(...tasks);
    for (let n = 0; n < 500; n += 1) dispatch.later(99).complete(dispatch.run('w'));
    const steps = limits.settlingMs / limits.settlingStepMs;
    expect(dispatch.state.settling.length).toBeLessThanOrEqual(steps + 1);
    const settling = dispatch.state.settling.map((it) => it.nanoUsdByScope.get('team:core') ?? 0);
    const sum = settling.reduce((all, it) => all + it, 0);
    expect(sum).toBeGreaterThanOrEqual(Math.floor(limits.settlingMs / 99));
    expect(sum).toBeLessThanOrEqual(
      Math.ceil((limits.settlingMs + limits.settlingStepMs) / 99) + 1,
    );
  });
});

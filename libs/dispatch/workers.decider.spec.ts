import { claude, codex, Dispatch } from './dispatch.spec-helper.js';

const reason = 'because';

describe('A worker', () => {
  test('that registers again as it was changes nothing, and otherwise takes its new form', () => {
    const dispatch = new Dispatch().worker('w').later(5).worker('w');
    expect(dispatch.events).toHaveLength(1);
    dispatch.worker('w', { seats: [codex], slots: 1 });
    expect(dispatch.state.workers.get('w')).toMatchObject({ seats: [codex], slots: 1 });
  });

  test('keeps its attempts when it registers again', () => {
    const dispatch = new Dispatch()
      .worker('w', { slots: 1 })
      .submit({ taskId: 'a' }, { taskId: 'b' });
    const attempt = dispatch.run('w');
    dispatch.worker('w', { slots: 2 });
    expect(dispatch.claim('w')).toBe('b');
    expect(dispatch.complete(attempt)).toHaveLength(1);
  });

  test('that says goodbye gives back what it holds, at once and at no cost', () => {
    const dispatch = new Dispatch().worker('w').worker('v').submit({});
    dispatch.run('w');
    const types = dispatch.types({ type: 'worker-gone', workerId: 'w', reason });
    expect(types).toEqual(['AttemptReleased', 'WorkerGone']);
    expect(dispatch.claim('v')).toBe('t');
    expect(dispatch.state.tasks.get('t')?.spentAttempts).toBe(0);
  });

  test('that nobody knows cannot say goodbye', () => {
    const command = { type: 'worker-gone', workerId: 'w', reason } as const;
    expect(new Dispatch().refusal(command)).toBe('WORKER_NOT_FOUND');
  });

  test('beyond the limit is refused, and those that are there may still register again', () => {
    const dispatch = new Dispatch();
    for (let count = 0; count < 1_000; count += 1) dispatch.worker(`w${count}`);
    const facts = {
      host: 'h',
      tokenHash: 'x',
      shards: ['impl' as const],
      seats: [claude],
      slots: 1,
      ...{ agents: [], containment: null },
    };
    const register = (workerId: string) =>
      dispatch.refusal({ type: 'register-worker', worker: { workerId, ...facts } });
    expect([register('one more'), register('w7')]).toEqual(['TOO_MANY_WORKERS', undefined]);
  });
});

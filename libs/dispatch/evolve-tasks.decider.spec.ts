import { limits } from '#kernel/limits.js';
import { Dispatch, task } from './dispatch.spec-helper.js';

const reason = 'because';

/** Each claimed and completed, one after another; only so many of them are remembered. */
function ended(rememberedMax: number, ...taskIds: string[]): Dispatch {
  const dispatch = new Dispatch(rememberedMax).worker('w');
  for (const taskId of taskIds) {
    dispatch.submit({ taskId, idempotencyKey: `key of ${taskId}` });
    dispatch.complete(dispatch.run('w'));
  }
  return dispatch;
}

const known = (dispatch: Dispatch) => [...dispatch.state.tasks.keys()];

describe('A task that has ended', () => {
  test('is remembered until so many others have ended after it', () => {
    expect(known(ended(2, 'a', 'b', 'c'))).toEqual(['b', 'c']);
    const dispatch = ended(2, 'a', 'b').submit({ taskId: 'c' }, { taskId: 'd' });
    expect(known(dispatch)).toEqual(['a', 'b', 'c', 'd']);
    dispatch.when({ type: 'cancel', taskId: 'd', reason });
    expect(known(dispatch)).toEqual(['b', 'c', 'd']);
  });

  test('is remembered for as long as one that has not ended depends on it', () => {
    const dispatch = ended(1, 'a').submit({ taskId: 'heir', dependsOn: ['a'] });
    dispatch.when({ type: 'park', taskId: 'heir', reason });
    dispatch.submit({ taskId: 'b' }, { taskId: 'c' });
    dispatch.complete(dispatch.run('w'));
    dispatch.complete(dispatch.run('w'));
    expect(known(dispatch)).toEqual(['a', 'heir', 'c']);
    dispatch.when({ type: 'replay', taskId: 'heir' });
    expect(dispatch.status('heir')).toBe('ready');
    dispatch.complete(dispatch.run('w'));
    expect(known(dispatch)).toEqual(['heir']);
  });

  test('and is retried is as new, and forgotten later', () => {
    const dispatch = new Dispatch(1).submit({ taskId: 'a' }, { taskId: 'b' }, { taskId: 'c' });
    dispatch.when({ type: 'cancel', taskId: 'a', reason });
    dispatch.when({ type: 'retry', taskId: 'a' });
    for (const taskId of ['b', 'c']) dispatch.when({ type: 'cancel', taskId, reason });
    expect(known(dispatch)).toEqual(['a', 'c']);
    dispatch.when({ type: 'cancel', taskId: 'a', reason });
    expect(known(dispatch)).toEqual(['a']);
  });

  test('in the dead letters is not forgotten: it waits for somebody', () => {
    const dispatch = new Dispatch(0).submit({});
    dispatch.when({ type: 'park', taskId: 't', reason });
    expect(known(dispatch)).toEqual(['t']);
    dispatch.when({ type: 'cancel', taskId: 't', reason });
    expect(known(dispatch)).toEqual([]);
  });
});

describe('Of a forgotten task', () => {
  test('the idempotency key is free again', () => {
    const dispatch = ended(1, 'a', 'b');
    const submit = (taskId: string, idempotencyKey: string) =>
      dispatch.types({ type: 'submit', tasks: [task({ taskId, idempotencyKey })] });
    expect(submit('a2', 'key of a')).toEqual(['TaskSubmitted']);
    expect(submit('b2', 'key of b')).toEqual([]);
  });

  test('nothing can be asked, and its attempts are not known', () => {
    const dispatch = new Dispatch(0).worker('w').submit({});
    const attempt = dispatch.run('w');
    dispatch.complete(attempt);
    expect(dispatch.refusal({ type: 'retry', taskId: 't' })).toBe('TASK_NOT_FOUND');
    expect(dispatch.refusal({ type: 'beat', ...attempt })).toBe('ATTEMPT_NOT_FOUND');
  });

  test('others cannot depend, neither new ones nor those that come back', () => {
    const dispatch = ended(1, 'a').submit({ taskId: 'b', dependsOn: ['a'] });
    dispatch.when({ type: 'cancel', taskId: 'b', reason });
    expect(known(dispatch)).toEqual(['b']);
    expect(dispatch.refusal({ type: 'retry', taskId: 'b' })).toBe('DEPENDENCY_NOT_FOUND');
    const late = { type: 'submit', tasks: [task({ dependsOn: ['a'] })], nowMs: 0 } as const;
    expect(dispatch.refusal(late)).toBe('DEPENDENCY_NOT_FOUND');
    expect(() => dispatch.when(late)).toThrow('or ended so long ago that it is forgotten');
  });
});

describe('What is kept in memory', () => {
  test('does not grow with the tasks that have ended: 60,000 of them', () => {
    const dispatch = new Dispatch().worker('w');
    const seat = { agent: 'codex', provider: 'openai', account: 'two', stolen: false } as const;
    const clocks = { leaseMs: 1, progressMs: 1, waitedMs: 0, reservedNanoUsd: 1 };
    for (let n = 1; n <= 60_000; n += 1) {
      const atMs = n * 100;
      const taskId = `t${n}`;
      const model = `m${n}`;
      const dependsOn = n % 2 === 0 ? [`t${n - 1}`] : [];
      const spec = task({ taskId, model, idempotencyKey: taskId, dependsOn });
      dispatch.apply({ type: 'TaskSubmitted', data: { ...spec, atMs } });
      for (const attempt of [`${n} a`, `${n} b`]) {
        const ids = { taskId, attemptId: attempt, workerId: 'w', fencingToken: n };
        const claim = { ...ids, ...seat, ...clocks, model, atMs };
        dispatch.apply({ type: 'TaskClaimed', data: claim });
        const end = { ...ids, durationMs: 1, atMs };
        const failed = {
          cause: 'provider',
          error: 'x',
          retryable: true,
          notBeforeMs: atMs,
        } as const;
        dispatch.apply({ type: 'AttemptFailed', data: { ...end, ...failed } });
      }
      dispatch.apply({
        type: 'TaskCancelled',
        data: { taskId, reason, becauseOfTaskId: null, atMs },
      });
      dispatch.events.length = 0;
    }
    const sizes = Object.entries(dispatch.state).map(([name, it]: [string, unknown]) => {
      const size =
        it instanceof Map || it instanceof Set ? it.size : Array.isArray(it) ? it.length : 0;
      return [name, size] as const;
    });
    const remembered = limits.endedTasksRememberedMax;
    expect(Object.fromEntries(sizes.filter(([, size]) => size > 0))).toEqual({
      tasks: remembered,
      taskByKey: remembered,
      forgettable: remembered,
      ended: 2 * remembered,
      workers: 1,
      providerFailures: limits.failingProvidersMax,
      settling: limits.settlingMs / limits.settlingStepMs,
    });
  });

  test('does not grow with the attempts of one task either', () => {
    const dispatch = new Dispatch().worker('w').submit({});
    const attempts = Array.from({ length: 100 }, () => {
      const attempt = dispatch.run('w');
      dispatch.when({ type: 'release', ...attempt, reason });
      return attempt;
    });
    expect(dispatch.state.ended.size).toBe(limits.endedAttemptsPerTaskMax);
    const answers = [attempts[0], attempts.at(-1)].map((it) =>
      dispatch.when.bind(dispatch, { type: 'beat', ...it! }),
    );
    expect(answers[0]).toThrow('no longer known');
    expect(answers[1]?.()).toMatchObject([{ type: 'StaleTokenRefused' }]);
  });
});

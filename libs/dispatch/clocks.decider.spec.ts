import { limits } from '#kernel/limits.js';
import { Dispatch } from './dispatch.spec-helper.js';
import { Signs } from './signs.js';

const minuteMs = 60_000;

function running(given: object = {}) {
  const dispatch = new Dispatch().worker('w').submit(given);
  return { dispatch, attempt: dispatch.run('w'), signs: new Signs() };
}

describe('The lease', () => {
  test('runs out when nothing is heard of the worker for 30 s, and the task comes back', () => {
    const { dispatch } = running();
    expect(dispatch.later(limits.leaseMs).tick()).toEqual([]);
    expect(dispatch.later(1).tick()).toEqual(['LeaseExpired']);
    expect(dispatch.tick()).toEqual([]);
    expect([dispatch.status('t'), dispatch.state.wip.size]).toEqual(['delayed', 0]);
    expect(dispatch.later(limits.retryFirstWaitMs).claim('w')).toBe('t');
  });

  test('is kept by beats, of which none is in the log', () => {
    const { dispatch, attempt, signs } = running();
    const count = dispatch.events.length;
    for (let beat = 0; beat < 20; beat += 1) {
      dispatch.later(10_000);
      signs.beat(attempt.attemptId, dispatch.nowMs);
      expect(dispatch.tick(new Map(signs.all))).toEqual([]);
    }
    expect(dispatch.events).toHaveLength(count);
  });

  test('is not kept by a beat from the future', () => {
    const { dispatch, attempt } = running();
    const future = new Map([[attempt.attemptId, { beatMs: 1e9, progressMs: 1e9 }]]);
    expect(dispatch.later(limits.leaseMs).tick(future)).toEqual([]);
    expect(dispatch.later(1).tick(future)).toEqual(['LeaseExpired']);
  });

  test('that is lost by the last attempt parks the task', () => {
    const { dispatch } = running({ attemptsMax: 1 });
    const types = dispatch.later(limits.leaseMs + 1).tick();
    expect(types).toEqual(['LeaseExpired', 'TaskParked']);
  });
});

describe('The progress deadline', () => {
  const alive = (dispatch: Dispatch, attemptId: string, progressMs = 0) =>
    new Map([[attemptId, { beatMs: dispatch.nowMs, progressMs }]]);

  test.each([
    ['small', 5],
    ['medium', 15],
    ['large', 30],
  ] as const)('of a %s task is missed after %d minutes without progress', (size, minutes) => {
    const { dispatch, attempt } = running({ size });
    dispatch.later(minutes * minuteMs);
    expect(dispatch.tick(alive(dispatch, attempt.attemptId))).toEqual([]);
    dispatch.later(1);
    expect(dispatch.tick(alive(dispatch, attempt.attemptId))).toEqual(['ProgressDeadlineMissed']);
    expect(dispatch.status('t')).toBe('delayed');
  });

  test('begins anew with every sign of progress', () => {
    const { dispatch, attempt } = running();
    const progressMs = dispatch.later(4 * minuteMs).nowMs;
    dispatch.later(5 * minuteMs);
    expect(dispatch.tick(alive(dispatch, attempt.attemptId, progressMs))).toEqual([]);
    dispatch.later(1);
    expect(dispatch.tick(alive(dispatch, attempt.attemptId, progressMs))).toEqual([
      'ProgressDeadlineMissed',
    ]);
  });

  test('that is missed by the last attempt parks the task', () => {
    const { dispatch, attempt } = running({ attemptsMax: 1 });
    dispatch.later(5 * minuteMs + 1);
    expect(dispatch.tick(alive(dispatch, attempt.attemptId))).toEqual([
      'ProgressDeadlineMissed',
      'TaskParked',
    ]);
  });

  test('is not the only end: an attempt that gets on for too long ends, too', () => {
    const { dispatch, attempt } = running({ timeoutMs: 60 * minuteMs });
    const signs = () => alive(dispatch, attempt.attemptId, dispatch.nowMs);
    expect(dispatch.later(60 * minuteMs).tick(signs())).toEqual([]);
    expect(dispatch.later(1).tick(signs())).toEqual(['AttemptFailed']);
  });
});

describe('The hard cap of a day', () => {
  test('ends the longest attempt that can be asked for, whatever it shows of itself', () => {
    const { dispatch, attempt } = running({ timeoutMs: limits.attemptMsMax });
    const signs = () =>
      new Map([[attempt.attemptId, { beatMs: dispatch.nowMs, progressMs: dispatch.nowMs }]]);
    expect(limits.attemptMsMax).toBe(24 * 60 * minuteMs);
    expect(dispatch.later(limits.attemptMsMax).tick(signs())).toEqual([]);
    expect(dispatch.later(1).tick(signs())).toEqual(['AttemptFailed']);
    expect(dispatch.events.at(-1)?.data).toMatchObject({ cause: 'timeout', retryable: true });
    expect(dispatch.state.running.size).toBe(0);
  });

  test('holds for every task: none can ask for more', () => {
    expect(() => running({ timeoutMs: limits.attemptMsMax + 1 })).toThrow('timeoutMs: Too big');
  });
});

describe('After a restart', () => {
  test('every running attempt has one fresh lease, and is not run again', () => {
    const { dispatch, attempt } = running();
    dispatch.later(10 * minuteMs);
    expect(dispatch.types({ type: 'after-restart' })).toEqual(['LeasesRenewed']);
    expect(dispatch.claim('w')).toBeUndefined();
    expect(dispatch.later(limits.leaseMs).tick()).toEqual([]);
    expect(dispatch.complete(attempt)).toHaveLength(1);
  });

  test('who does not come back loses it then', () => {
    const { dispatch } = running();
    dispatch.later(10 * minuteMs).when({ type: 'after-restart' });
    expect(dispatch.later(limits.leaseMs + 1).tick()).toEqual(['LeaseExpired']);
  });

  test('with nothing running there is nothing to tell', () => {
    expect(new Dispatch().types({ type: 'after-restart' })).toEqual([]);
  });
});

test('Time never runs back, whatever clock a command was given', () => {
  const { dispatch, attempt } = running();
  dispatch.later(minuteMs).submit({ taskId: 'later' });
  dispatch.nowMs = 5;
  const [event] = dispatch.complete(attempt);
  expect(event?.data.atMs).toBe(minuteMs);
});

describe('Signs', () => {
  test('of an agent are signs of its worker, but not the other way round', () => {
    const signs = new Signs();
    signs.progress('a', 5);
    signs.beat('a', 9);
    expect(signs.all.get('a')).toEqual({ beatMs: 9, progressMs: 5 });
    signs.progress('a', 12);
    expect(signs.all.get('a')).toEqual({ beatMs: 12, progressMs: 12 });
  });

  test('are forgotten with their attempt', () => {
    const { dispatch, attempt, signs } = running();
    signs.beat(attempt.attemptId, 1);
    signs.beat('of nobody', 1);
    signs.prune(dispatch.state);
    expect([...signs.all.keys()]).toEqual([attempt.attemptId]);
  });
});

import { limits } from '#kernel/limits.js';
import { refusalIn } from './attempts.decider.js';
import { Dispatch, type Running } from './dispatch.spec-helper.js';

const reason = 'because';
const moves = ['start', 'beat', 'progress', 'complete', 'fail', 'release'] as const;

function move(type: (typeof moves)[number], { attemptId, fencingToken }: Running) {
  const all = { sessionId: null, percent: 50, resultHash: 'result', claimNext: null, reason };
  const failed = { cause: 'error', error: 'it broke', retryable: true, coolDown: null };
  return { type: type as 'beat', attemptId, fencingToken, ...all, ...failed };
}

function running(given: object = {}): { dispatch: Dispatch; attempt: Running } {
  const dispatch = new Dispatch().worker('w').submit(given);
  return { dispatch, attempt: dispatch.run('w') };
}

/** An attempt whose lease has run out, and whose task another worker has. */
function zombie(): { dispatch: Dispatch; attempt: Running; heir: Running } {
  const { dispatch, attempt } = running();
  dispatch.later(limits.leaseMs + 1).tick();
  dispatch.later(limits.retryFirstWaitMs).worker('heir');
  return { dispatch, attempt, heir: dispatch.run('heir') };
}

describe('An attempt', () => {
  test('is claimed, started, and completed once', () => {
    const { dispatch, attempt } = running();
    expect(dispatch.complete(attempt).map(({ type }) => type)).toEqual(['AttemptCompleted']);
    expect(dispatch.state.tasks.get('t')?.status).toEqual({
      is: 'completed',
      attemptId: attempt.attemptId,
      resultHash: 'result',
    });
    expect([dispatch.state.running.size, dispatch.state.wip.size]).toEqual([0, 0]);
  });

  test('whose answers were lost may start and complete again, which changes nothing', () => {
    const { dispatch, attempt } = running();
    expect(dispatch.when(move('start', attempt))).toEqual([]);
    dispatch.complete(attempt);
    expect(dispatch.complete(attempt)).toEqual([]);
  });

  test('that was not said to have started may get on, complete or fail all the same', () => {
    for (const [type, event] of [
      ['progress', 'ProgressReported'],
      ['complete', 'AttemptCompleted'],
      ['fail', 'AttemptFailed'],
    ] as const) {
      const dispatch = new Dispatch().worker('w').submit({});
      dispatch.claim('w');
      const [attempt] = [...dispatch.state.running.values()];
      expect(dispatch.types(move(type, attempt!))).toEqual([event]);
    }
  });

  test('tells of progress only what is news', () => {
    const { dispatch, attempt } = running();
    const report = (percent: number | null, sessionId: string | null) =>
      dispatch.types({ ...attempt, type: 'progress', percent, sessionId });
    expect(report(5, null)).toEqual([]);
    expect(report(12, null)).toEqual(['ProgressReported']);
    expect(report(19, null)).toEqual([]);
    expect(report(null, 's')).toEqual(['ProgressReported']);
    expect(report(12, 's')).toEqual([]);
  });

  test('that is beaten for leaves nothing in the log', () => {
    const { dispatch, attempt } = running();
    expect(dispatch.when(move('beat', attempt))).toEqual([]);
  });

  test('that is given back costs no attempt, and leaves the task its place', () => {
    const { dispatch, attempt } = running();
    dispatch.later(1).submit({ taskId: 'younger' });
    expect(dispatch.types(move('release', attempt))).toEqual(['AttemptReleased']);
    expect(dispatch.state.tasks.get('t')?.spentAttempts).toBe(0);
    expect(dispatch.claim('w')).toBe('t');
  });

  test('that nobody knows is refused', () => {
    const unknown = { attemptId: 'x', fencingToken: 1, taskId: 't' };
    for (const type of moves) {
      expect(new Dispatch().refusal(move(type, unknown))).toBe('ATTEMPT_NOT_FOUND');
    }
  });
});

describe('A failed attempt', () => {
  test('is tried again after a wait that doubles, and parked after the last', () => {
    const dispatch = new Dispatch().worker('w').submit({ attemptsMax: 3 });
    for (const waitMs of [limits.retryFirstWaitMs, 2 * limits.retryFirstWaitMs]) {
      expect(dispatch.fail(dispatch.run('w')).map(({ type }) => type)).toEqual(['AttemptFailed']);
      expect(dispatch.later(waitMs - 1).claim('w')).toBeUndefined();
      dispatch.later(1);
    }
    const last = dispatch.fail(dispatch.run('w'));
    expect(last.map(({ type }) => type)).toEqual(['AttemptFailed', 'TaskParked']);
    expect(dispatch.later(limits.retryWaitMsMax).claim('w')).toBeUndefined();
  });

  test('that makes no sense to repeat is parked at once', () => {
    const { dispatch, attempt } = running();
    expect(dispatch.fail(attempt, { retryable: false }).at(-1)).toMatchObject({
      type: 'TaskParked',
      data: { cause: 'not-retryable' },
    });
  });
});

describe('Completing and claiming the next in one', () => {
  const next = { attemptId: 'next', budgets: [], leaseMs: 30_000 };

  test('gives the task that this one made ready', () => {
    const dispatch = new Dispatch().worker('w', { slots: 1 });
    dispatch.submit({ taskId: 'a' }, { taskId: 'b', dependsOn: ['a'] });
    const attempt = dispatch.run('w');
    const events = dispatch.when({
      ...move('complete', attempt),
      type: 'complete',
      resultHash: null,
      claimNext: next,
    });
    expect(events.map(({ type }) => type)).toEqual(['AttemptCompleted', 'TaskClaimed']);
    expect(dispatch.state.running.get('next')?.taskId).toBe('b');
  });

  test('counts the slot and the place that it gives up', () => {
    const dispatch = new Dispatch().worker('w', { slots: 1 });
    dispatch.when({ type: 'limit-wip', scope: 'all', limit: 1 });
    dispatch.submit({ taskId: 'a' }).later(1).submit({ taskId: 'b' });
    const attempt = dispatch.run('w');
    dispatch.fail(attempt, { claimNext: next });
    expect(dispatch.state.running.get('next')?.taskId).toBe('b');
    expect(dispatch.state.wip.get('all')).toBe(1);
  });

  test('gives nothing that the cool-down just begun forbids', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }, { taskId: 'b' });
    const coolDown = { cause: 'rate-limit', retryAfterMs: 1_000, random: 0 };
    const events = dispatch.fail(dispatch.run('w'), { coolDown, claimNext: next });
    expect(events.map(({ type }) => type)).toEqual(['AttemptFailed', 'CoolDownStarted']);
  });
});

describe('A zombie', () => {
  test.each(moves)('is refused to %s, which is told once', (type) => {
    const { dispatch, attempt } = zombie();
    const command = { ...move(type, attempt), resultHash: null };
    const events = dispatch.when(command);
    expect(events).toMatchObject([{ type: 'StaleTokenRefused', data: { move: type } }]);
    expect(refusalIn(events)?.code).toBe('STALE_FENCING_TOKEN');
    expect(dispatch.refusal(command)).toBe('STALE_FENCING_TOKEN');
    expect(dispatch.status('t')).toBe('running');
  });

  test('leaves a late result, kept once, which a person may adopt', () => {
    const { dispatch, attempt, heir } = zombie();
    const types = dispatch.complete(attempt, 'late').map(({ type }) => type);
    expect(types).toEqual(['LateResultKept', 'StaleTokenRefused']);
    expect(dispatch.refusal(move('complete', attempt))).toBe('STALE_FENCING_TOKEN');
    const adopt = { type: 'adopt-late-result', taskId: 't', attemptId: attempt.attemptId } as const;
    expect(dispatch.refusal(adopt)).toBe('ILLEGAL_MOVE');
    dispatch.when({ type: 'park', taskId: 't', reason });
    expect(dispatch.types(adopt)).toEqual(['LateResultAdopted']);
    expect(dispatch.types(adopt)).toEqual([]);
    expect(dispatch.state.tasks.get('t')?.status).toMatchObject({ resultHash: 'late' });
    expect(refusalIn(dispatch.complete(heir, 'mine'))?.code).toBe('STALE_FENCING_TOKEN');
    expect(dispatch.status('t')).toBe('completed');
  });

  test('whose late result nobody kept has none to adopt', () => {
    const { dispatch } = running();
    const adopt = { type: 'adopt-late-result', taskId: 't', attemptId: 'x' } as const;
    expect(dispatch.refusal(adopt)).toBe('ATTEMPT_NOT_FOUND');
  });

  test('that completes a second time with another result has that one kept, not counted', () => {
    const { dispatch, attempt } = running();
    dispatch.complete(attempt, 'one');
    const types = dispatch.complete(attempt, 'two').map(({ type }) => type);
    expect(types).toEqual(['LateResultKept', 'StaleTokenRefused']);
    expect(dispatch.state.tasks.get('t')?.status).toMatchObject({ resultHash: 'one' });
  });

  test('that makes up a token is refused, and its heir goes on', () => {
    const { dispatch, attempt, heir } = zombie();
    for (const fencingToken of [heir.fencingToken + 1, 0, -1, 0.5, NaN]) {
      for (const { type, of } of moves.flatMap((it) =>
        [heir, attempt].map((of) => ({ type: it, of })),
      )) {
        const shown = fencingToken > 0 ? fencingToken + attempt.fencingToken : fencingToken;
        const code = dispatch.refusal(move(type, { ...of, fencingToken: shown }));
        expect({ shown, type, code }).toEqual({ shown, type, code: 'UNKNOWN_FENCING_TOKEN' });
      }
    }
    expect(dispatch.complete(heir)).toHaveLength(1);
  });

  test.each(moves)('that shows an older token for its heir is refused to %s, told once', (type) => {
    const { dispatch, attempt, heir } = zombie();
    const command = move(type, { ...heir, fencingToken: attempt.fencingToken });
    const events = dispatch.when(command);
    expect(events).toMatchObject([
      {
        type: 'StaleTokenRefused',
        data: { attemptId: heir.attemptId, fencingToken: attempt.fencingToken, move: type },
      },
    ]);
    expect(refusalIn(events)?.code).toBe('STALE_FENCING_TOKEN');
    expect(dispatch.refusal(command)).toBe('STALE_FENCING_TOKEN');
    expect(dispatch.state.running.get(heir.attemptId)?.refused).toEqual([type]);
    expect(dispatch.complete(heir)).toHaveLength(1);
    // Nor is it told again after the end; but a result under the attempt's own token is kept.
    expect(dispatch.refusal(command)).toBe('STALE_FENCING_TOKEN');
    expect(dispatch.state.tasks.get('t')?.lateResults).toEqual([]);
  });

  test('of a cancelled task is refused, too', () => {
    const { dispatch, attempt } = running();
    dispatch.when({ type: 'cancel', taskId: 't', reason });
    expect(refusalIn(dispatch.when(move('beat', attempt)))?.code).toBe('STALE_FENCING_TOKEN');
  });
});

import { limits } from '#kernel/limits.js';
import { claude, codex, Dispatch } from './dispatch.spec-helper.js';

describe('A cool-down', () => {
  const coolDown = (dispatch: Dispatch, given: object = {}, where: object = {}) =>
    dispatch.when({
      type: 'cool-down',
      provider: 'anthropic',
      account: 'one',
      model: null,
      hint: { cause: 'rate-limit', retryAfterMs: 30_000, random: 0, ...given },
      ...where,
    });

  test('keeps everybody away until the time that the provider told', () => {
    const dispatch = new Dispatch().worker('w').submit({});
    coolDown(dispatch);
    expect(dispatch.later(29_999).claim('w')).toBeUndefined();
    expect(dispatch.later(1).claim('w')).toBe('t');
  });

  test.each([
    [0, 30_000],
    [0.5, 32_500],
    [0.999, 34_995],
  ])('lasts by chance a little longer: %d', (random, untilMs) => {
    const dispatch = new Dispatch();
    expect(coolDown(dispatch, { random })).toMatchObject([{ data: { untilMs } }]);
  });

  test('without a time lasts longer each time, up to a limit', () => {
    const dispatch = new Dispatch();
    const waits = Array.from({ length: 12 }, () => {
      const [event] = coolDown(dispatch, { retryAfterMs: null });
      if (event?.type !== 'CoolDownStarted') throw new Error('no cool-down');
      const waitMs = event.data.untilMs - dispatch.nowMs;
      dispatch.later(waitMs);
      return waitMs;
    });
    expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(waits.at(-1)).toBe(limits.coolDownUntoldMsMax);
  });

  test('is made longer, never shorter, by what else comes of the same storm', () => {
    const dispatch = new Dispatch();
    coolDown(dispatch);
    expect(coolDown(dispatch, { retryAfterMs: 1_000 })).toEqual([]);
    expect(coolDown(dispatch, { retryAfterMs: 60_000 })).toMatchObject([
      { data: { untilMs: 60_000, level: 0 } },
    ]);
  });

  test('has a limit, whatever the provider tells', () => {
    const [event] = coolDown(new Dispatch(), { retryAfterMs: Number.MAX_SAFE_INTEGER });
    expect(event).toMatchObject({ data: { untilMs: limits.coolDownMsMax } });
  });

  test('of one model or account leaves the others alone', () => {
    const seats = [claude, codex];
    const dispatch = new Dispatch().worker('w', { seats });
    coolDown(dispatch, {}, { model: 'opus' });
    dispatch.submit({ taskId: 'a', model: 'opus', agent: 'claude-code' });
    dispatch.submit(
      { taskId: 'b', model: 'sonnet', agent: 'claude-code' },
      { taskId: 'c', agent: 'codex' },
    );
    expect([dispatch.claim('w'), dispatch.claim('w'), dispatch.claim('w')]).toEqual([
      'b',
      'c',
      undefined,
    ]);
  });

  test('ends with one probe, and when it goes well the others follow one by one', () => {
    const dispatch = new Dispatch().worker('w');
    dispatch.submit(...Array.from({ length: 9 }, (_, index) => ({ taskId: `t${index}` })));
    coolDown(dispatch);
    dispatch.later(30_000).run('w');
    expect(dispatch.later(limits.coolDownProofMs - 1).claim('w')).toBeUndefined();
    dispatch.later(1);
    for (let turn = 0; turn < 4; turn += 1) {
      expect(dispatch.claim('w')).toBeDefined();
      expect(dispatch.claim('w')).toBeUndefined();
      expect(dispatch.later(limits.coolDownStaggerMs - 1).claim('w')).toBeUndefined();
      dispatch.later(1);
    }
  });

  test('that is tried late is not over before the others had time to follow one by one', () => {
    const dispatch = new Dispatch().worker('w');
    dispatch.submit(...Array.from({ length: 9 }, (_, index) => ({ taskId: `t${index}` })));
    coolDown(dispatch);
    const probe = dispatch.later(30_000 + limits.coolDownRampMs - 1).run('w');
    dispatch.later(1).complete(probe);
    const follower = dispatch.run('w');
    expect(dispatch.claim('w')).toBeUndefined();
    dispatch.complete(follower);
    expect(dispatch.later(limits.coolDownRampMs - 1).tick()).toEqual([]);
    expect(dispatch.later(1).tick()).toEqual(['CoolDownEnded']);
  });

  test('begins again, for longer, when the probe is refused, and costs the task no attempt', () => {
    const dispatch = new Dispatch().worker('w').submit({ attemptsMax: 1 });
    const hint = { cause: 'rate-limit', retryAfterMs: null, random: 0 };
    for (const level of [0, 1, 2]) {
      const events = dispatch.fail(dispatch.run('w'), { coolDown: hint });
      expect(events).toMatchObject([
        { type: 'AttemptFailed', data: { cause: 'cool-down' } },
        { type: 'CoolDownStarted', data: { level } },
      ]);
      dispatch.later(60_000);
    }
    expect(dispatch.run('w').taskId).toBe('t');
  });

  test('lets another probe go when one came to nothing', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }, { taskId: 'b' });
    coolDown(dispatch);
    const probe = dispatch.later(30_000).run('w');
    expect(dispatch.claim('w')).toBeUndefined();
    dispatch.when({ type: 'release', ...probe, reason: 'because' });
    expect(dispatch.claim('w')).toBe('a');
  });

  test('is over when everybody had time to come back', () => {
    const dispatch = new Dispatch();
    coolDown(dispatch);
    expect(dispatch.later(30_000 + limits.coolDownRampMs - 1).tick()).toEqual([]);
    expect(dispatch.later(1).tick()).toEqual(['CoolDownEnded']);
    expect(dispatch.state.coolingDown.size).toBe(0);
  });
});

describe('The breaker', () => {
  const failures = (dispatch: Dispatch, count: number) =>
    Array.from({ length: count }, (_, index) => {
      dispatch.submit({ taskId: `f${dispatch.nowMs}-${index}` });
      return dispatch.fail(dispatch.run('w'), { cause: 'provider' }).map(({ type }) => type);
    });

  test('opens at the third failure of a provider in a row, for a minute', () => {
    const dispatch = new Dispatch().worker('w');
    expect(failures(dispatch, 3).at(-1)).toEqual(['AttemptFailed', 'CoolDownStarted']);
    dispatch.submit({ taskId: 'next' });
    expect(dispatch.later(limits.breakerOpenMs - 1).claim('w')).toBeUndefined();
    expect(dispatch.later(1).claim('w')).toBeDefined();
  });

  test('counts anew after a success', () => {
    const dispatch = new Dispatch().worker('w');
    failures(dispatch, 2);
    dispatch.submit({ taskId: 'good' });
    dispatch.complete(dispatch.run('w'));
    expect(failures(dispatch.later(1), 2).flat()).not.toContain('CoolDownStarted');
  });

  test('opens again when its probe fails', () => {
    const dispatch = new Dispatch().worker('w');
    failures(dispatch, 3);
    dispatch.later(limits.breakerOpenMs);
    expect(failures(dispatch, 1)).toEqual([['AttemptFailed', 'CoolDownStarted']]);
  });
});

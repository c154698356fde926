import {
  answered,
  attemptCompleted,
  claimed,
  leaseExpired,
  prompt,
  second,
  session,
  started,
  tool,
  heard,
  pace,
  tick,
} from './watch.specification.js';

describe('A session of an attempt', () => {
  const working = () =>
    heard(claimed(0), started(1), answered(2, { taskId: 't1' }), prompt(10, { taskId: 't1' }));

  test('is of its task, and may be silent for an hour, as its end will be told', () => {
    const silences = working();
    expect(tick(silences, 25)).toMatchObject([{ session: { ...session, taskId: 't1' } }]);
    expect(silences.estimatedNanoUsd('task:t1', 0, second(3_000))).toBe((pace / 60) * 2_990);
    tick(silences, 3_610);
    expect(silences.silent()).toEqual([]);
  });

  test('spends nothing more when the attempt has ended', () => {
    const silences = working();
    tick(silences, 25);
    silences.observe(attemptCompleted(30), second(30));
    expect(silences.silent()).toEqual([]);
    expect(tick(silences, 60)).toEqual([]);
    // What it told on its way out does not open it again.
    silences.observe(tool(29), second(31));
    expect(tick(silences, 60)).toEqual([]);
  });

  test('may go on when its lease has expired: nobody has seen it end', () => {
    const silences = working();
    tick(silences, 25);
    silences.observe(leaseExpired(40), second(40));
    expect(silences.estimatedNanoUsd('all', 0, second(3_000))).toBe(10 * pace);
  });

  test('has the model of its task before it has used any', () => {
    const silences = heard(
      ...[answered(1, { sessionId: 's2' }), claimed(2, { model: 'claude-x' }), started(3)],
      prompt(10, { taskId: 't1' }),
    );
    expect(tick(silences, 25)).toMatchObject([{ nanoUsdPerMinute: pace }]);
  });
});

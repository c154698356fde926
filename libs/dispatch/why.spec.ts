import { claude, Dispatch } from './dispatch.spec-helper.js';
import { explain } from './explain.js';
import { recordedDispatch, wallAt } from './recorded-dispatch.spec-helper.js';
import { whyShape } from './task.shapes.js';
import { why } from './why.js';
import { explanationOfEnded } from './why-now.js';

type Budgets = Parameters<typeof explain>[3];

/** From all that ever happened. */
function whyOf(dispatch: Dispatch, taskId = 't', budgets: Budgets = []) {
  const { nowMs } = dispatch;
  const explanation = explain(dispatch.state, taskId, nowMs, budgets);
  const wallNowMs = Date.parse(wallAt(nowMs));
  const events = recordedDispatch(dispatch.events);
  return whyShape.parse(why({ explanation, events, omitted: 0, nowMs, wallNowMs }));
}

const now = (dispatch: Dispatch, budgets: Budgets = []) => whyOf(dispatch, 't', budgets).now;

/** Version, sentence and cause of each event. */
const chain = (dispatch: Dispatch) =>
  whyOf(dispatch).chain.map(({ version, what, becauseOf }) => [version, what, becauseOf]);

const reason = 'deploy';
const submitted = 'Submitted to lane normal and shard impl, for any agent.';
const claimed = (waited: string, attempt: string, token: number) =>
  `Claimed by worker w for claude-code (anthropic, account one), after ${waited}; attempt ${attempt}, token ${token}.`;

describe('Why a task is where it is now', () => {
  test('is said of what it depends on', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }, { dependsOn: ['a'] });
    dispatch.run('w');
    expect(now(dispatch)).toEqual(['It waits for task a, which is running.']);
  });

  test('is said of a time, on the clock on the wall', () => {
    const dispatch = new Dispatch().worker('w').submit({});
    dispatch.fail(dispatch.run('w'));
    dispatch.later(1_600);
    const when = `${wallAt(5_000)}, in 3.4 s`;
    expect(now(dispatch)).toEqual([`It failed, and is tried again ${when}.`]);
  });

  test('is said of who could run it', () => {
    const dispatch = new Dispatch().submit({ agent: 'codex', model: 'gpt' });
    const wants = 'it wants codex with the model gpt';
    expect(now(dispatch)).toEqual([`No registered worker has a seat for it: ${wants}.`]);
    expect(now(new Dispatch().submit({}))[0]).toMatch('it wants any agent.');
  });

  test('is said of workers that are busy', () => {
    const dispatch = new Dispatch().worker('w', { slots: 1 }).submit({ taskId: 'a' }, {});
    dispatch.claim('w');
    expect(now(dispatch)).toEqual([
      'Worker w could run it, but has no free slot: 1 attempt runs there.',
    ]);
  });

  test('is said of every gate that is closed', () => {
    const dispatch = new Dispatch().worker('w').submit({ team: 'core' });
    dispatch.when({ type: 'pause', scope: 'all', reason });
    dispatch.when({ type: 'drain', scope: 'shard:impl', reason: '' });
    dispatch.when({ type: 'trip', scope: 'team:core', reason: 'too dear.' });
    dispatch.when({ type: 'limit-wip', scope: 'account:one', limit: 0 });
    const hint = { cause: 'rate-limit', retryAfterMs: 90_000, random: 0 } as const;
    dispatch.when({ type: 'cool-down', ...claude, model: null, hint });
    const budget = {
      scope: 'team:core',
      limitNanoUsd: 5e9,
      spentNanoUsd: 5_100_000_000,
      shut: null,
    };
    const pace = {
      scope: 'all',
      limitNanoUsd: null,
      spentNanoUsd: 0,
      shut: 'Budget pace has tripped',
    };
    expect(now(dispatch, [budget, pace])).toEqual([
      'All claims are paused: deploy.',
      'Claims of shard impl are shut, so that work comes to rest.',
      'Claims of team core are shut until somebody resets them: too dear.',
      `anthropic (account one) is cooling down until ${wallAt(90_000)}, in 1 min 30 s.`,
      'At most 0 attempts of account one may run at once, and 0 do.',
      'The budget of team core leaves too little: $5.00 in all, $5.10 spent, $0.00 reserved; it wants $0.00.',
      'All claims are shut: Budget pace has tripped.',
    ]);
  });

  test('is said of a provider that comes back', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }, { model: 'm' });
    const hint = { cause: 'overload', retryAfterMs: 1_000, random: 0 } as const;
    dispatch.when({ type: 'cool-down', ...claude, model: 'm', hint });
    dispatch.later(1_000).claim('w');
    const back = 'anthropic (account one, model m) comes back from a cool-down';
    expect(now(dispatch)).toEqual([`${back}: claims follow one by one.`]);
  });

  test('is said of those before it', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }, { taskId: 'b' });
    dispatch.later(1).submit({});
    expect(now(dispatch)).toEqual(['2 tasks of its kind are before it.']);
    dispatch.claim('w');
    expect(now(dispatch)).toEqual(['1 task of its kind is before it.']);
    dispatch.claim('w');
    expect(now(dispatch)).toEqual([
      'Nothing is in its way: the next claim that may have it takes it.',
    ]);
  });

  test('is said when it waits for nothing', () => {
    const dispatch = new Dispatch().worker('w').submit({});
    const attempt = dispatch.run('w');
    expect(now(dispatch)).toEqual(['It runs, as attempt a1.']);
    dispatch.when({ type: 'park', taskId: 't', reason });
    expect(now(dispatch)).toEqual([
      'It is among the dead letters: deploy. Replay it to have it run again.',
    ]);
    dispatch.when({ type: 'cancel', taskId: 't', reason: '' });
    expect(now(dispatch)).toEqual(['It was cancelled.']);
    dispatch.complete(attempt);
    dispatch.when({ type: 'adopt-late-result', taskId: 't', attemptId: 'a1' });
    expect(now(dispatch)).toEqual(['It has completed, by attempt a1.']);
  });
});

test('Of a task that is forgotten, the read model says how it ended', () => {
  const facts = { attemptId: 'a1', resultHash: 'r', reason: null };
  const completed = explanationOfEnded({ taskId: 't', state: 'completed', ...facts });
  expect(completed?.status).toEqual({ is: 'completed', attemptId: 'a1', resultHash: 'r' });
  const nothing = { attemptId: null, resultHash: null, reason };
  const cancelled = explanationOfEnded({ taskId: 't', state: 'cancelled', ...nothing });
  const clocks = { nowMs: 0, wallNowMs: 0 };
  expect(why({ explanation: cancelled!, events: [], omitted: 0, ...clocks })).toEqual({
    ...{ taskId: 't', state: 'cancelled', omittedEvents: 0, chain: [] },
    now: ['It was cancelled: deploy.'],
  });
  expect(explanationOfEnded({ taskId: 't', state: 'ready', ...nothing })).toBeUndefined();
});

describe('The chain of what became of a task', () => {
  test('goes from its submission to its end, each because of one before', () => {
    const dispatch = new Dispatch().submit({}).worker('w').later(3_210);
    const first = dispatch.run('w');
    dispatch.later(700);
    dispatch.when({ type: 'progress', ...first, sessionId: 's', percent: 40 });
    dispatch.fail(first, { error: 'it broke' });
    dispatch.later(5_000);
    const second = dispatch.run('w');
    dispatch.later(130_000).complete(second);
    expect(chain(dispatch)).toEqual([
      [1, submitted, null],
      [3, claimed('3.2 s', 'a1', 1), 1],
      [4, 'Attempt a1 started.', 3],
      [5, 'Attempt a1 is at 40 % in session s.', 3],
      [6, 'Attempt a1 failed after 700 ms: it broke. It may be claimed again after 5 s.', 3],
      [7, claimed('8.9 s', 'a2', 2), 6],
      [8, 'Attempt a2 started.', 7],
      [9, 'Completed by attempt a2, after 2 min 10 s.', 7],
    ]);
  });

  test('tells who did it, when, and in which event', () => {
    const dispatch = new Dispatch().later(2_000).submit({});
    const [event] = recordedDispatch(dispatch.events);
    const { actor } = event!.metadata;
    expect(whyOf(dispatch).chain).toMatchObject([
      { version: 1, at: wallAt(2_000), type: 'TaskSubmitted', by: actor },
    ]);
  });

  test('shows what it waited for, and that the claim came of it', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }, { dependsOn: ['a'] });
    dispatch.complete(dispatch.run('w'));
    dispatch.claim('w');
    expect(chain(dispatch)).toEqual([
      [3, `${submitted} It depends on a.`, null],
      [6, 'Task a, on which it depends, completed.', null],
      [7, claimed('0 ms', 'a2', 2), 6],
    ]);
  });

  test('shows with which other it was cancelled', () => {
    const dispatch = new Dispatch().submit({ taskId: 'a' }, { dependsOn: ['a'] });
    dispatch.when({ type: 'cancel', taskId: 'a', reason });
    expect(chain(dispatch)).toEqual([
      [2, `${submitted} It depends on a.`, null],
      [3, 'Task a, on which it depends, was cancelled: deploy.', null],
      [4, 'Cancelled: It depends on a, which was cancelled.', 3],
    ]);
  });

  test('says why it was parked, and does not promise that it is tried again', () => {
    const dispatch = new Dispatch().worker('w').submit({ attemptsMax: 1 });
    const lost = dispatch.run('w');
    dispatch.later(31_000).tick();
    dispatch.complete(lost, 'late');
    dispatch.when({ type: 'adopt-late-result', taskId: 't', attemptId: 'a1' });
    const taken = 'Attempt a1 was taken from worker w, of which there was no sign for 31 s.';
    const how = 'The last of 1 attempts ended so: its worker fell silent.';
    expect(chain(dispatch).slice(3)).toEqual([
      [5, taken, 3],
      [6, `Put among the dead letters: ${how}`, 5],
      [7, 'Attempt a1 brought a result after it had lost the task. It is kept.', 5],
      [8, 'A move of attempt a1 was refused (complete): token 1 no longer holds.', 5],
      [9, 'Completed by the late result of attempt a1, which somebody adopted.', 7],
    ]);
  });

  test('tells what people did with it', () => {
    const dispatch = new Dispatch().worker('w').submit({ shard: 'review' });
    dispatch.when({ type: 'reprioritise', taskId: 't', lane: 'critical' });
    dispatch.when({ type: 'release', ...dispatch.later(60_000).run('w'), reason: 'going home' });
    dispatch.when({ type: 'cancel', taskId: 't', reason });
    dispatch.when({ type: 'retry', taskId: 't' });
    dispatch.when({ type: 'park', taskId: 't', reason });
    dispatch.when({ type: 'replay', taskId: 't' });
    expect(chain(dispatch)).toEqual([
      [2, 'Submitted to lane normal and shard review, for any agent.', null],
      [3, 'Moved to lane critical.', null],
      [4, `${claimed('1 min', 'a1', 1)} Its shard is not the worker's own.`, 2],
      [5, 'Attempt a1 started.', 4],
      [6, 'Worker w gave attempt a1 back after 0 ms: going home.', 4],
      [7, 'Cancelled: deploy.', null],
      [8, 'Put back into the queue at once.', null],
      [9, 'Put among the dead letters: deploy.', null],
      [10, 'Taken out of the dead letters, with all its attempts before it.', null],
    ]);
  });
});

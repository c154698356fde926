import { codex, Dispatch, type Running } from './dispatch.spec-helper.js';

const reason = 'the money is gone';
const budget = 'budget:day';

/** A task that runs on host `h`, in a session. */
function running(given: object = {}): { dispatch: Dispatch; attempt: Running } {
  const dispatch = new Dispatch().worker('w', { host: 'h' }).submit(given);
  const attempt = dispatch.run('w');
  const { attemptId, fencingToken } = attempt;
  const news = { sessionId: 'session', percent: null };
  dispatch.when({ type: 'progress', attemptId, fencingToken, ...news });
  return { dispatch, attempt };
}

function halt(
  dispatch: Dispatch,
  { how = 'pause', holder = null as string | null, ...of }: HaltOf = {},
): string[] {
  const target = of.scope === undefined ? { taskId: of.taskId ?? 't' } : { scope: of.scope };
  return dispatch.types({ type: 'halt', target, how, reason, holder });
}
interface HaltOf {
  readonly how?: 'pause' | 'kill';
  readonly holder?: string | null;
  readonly taskId?: string;
  readonly scope?: string;
}

function halted(
  dispatch: Dispatch,
  { attemptId, fencingToken }: Running,
  sessionId: string | null = null,
): string[] {
  const seen = { cutOff: null, processesEnded: 2, survivors: [] };
  return dispatch.types({ type: 'halted', attemptId, fencingToken, sessionId, ...seen });
}

const resume = (dispatch: Dispatch) =>
  dispatch.types({ type: 'resume-task', taskId: 't', reason: '' });
const conversationIn = (dispatch: Dispatch) => dispatch.state.tasks.get('t')?.conversation;

describe('A halt of a task that runs', () => {
  test('is ordered at once, and the task is paused once its worker has halted it', () => {
    const { dispatch, attempt } = running();
    expect(halt(dispatch)).toEqual(['AttemptHaltOrdered']);
    expect(dispatch.status('t')).toBe('running');
    expect(halted(dispatch, attempt)).toEqual(['AttemptHalted', 'TaskPaused']);
    expect(dispatch.status('t')).toBe('paused');
    expect(dispatch.state.running.size).toBe(0);
  });

  test('keeps the conversation: its session, agent, host and work place', () => {
    const { dispatch, attempt } = running();
    halt(dispatch);
    halted(dispatch, attempt);
    const { attemptId } = attempt;
    expect(conversationIn(dispatch)).toEqual({
      ...{ sessionId: 'session', agent: 'claude-code', host: 'h', attemptId },
    });
  });

  test('takes the session that the worker tells with it', () => {
    const { dispatch, attempt } = running();
    halt(dispatch);
    halted(dispatch, attempt, 'a later session');
    expect(conversationIn(dispatch)).toMatchObject({ sessionId: 'a later session' });
  });

  test('costs no attempt, and gives back what was reserved', () => {
    const { dispatch, attempt } = running({ attemptsMax: 1, reserveNanoUsd: 5 });
    halt(dispatch);
    halted(dispatch, attempt);
    expect(dispatch.state.tasks.get('t')?.spentAttempts).toBe(0);
    expect(dispatch.state.reservedNanoUsd.get('all')).toBeUndefined();
  });

  test('is told once; a kill overrides a pause, and nothing a kill', () => {
    const { dispatch } = running();
    expect(halt(dispatch)).toEqual(['AttemptHaltOrdered']);
    expect(halt(dispatch)).toEqual([]);
    expect(halt(dispatch, { how: 'kill' })).toEqual(['AttemptHaltOrdered']);
    expect(halt(dispatch)).toEqual([]);
    expect([...dispatch.state.running.values()][0]?.halt).toMatchObject({ how: 'kill' });
  });

  test("stays an operator's, whatever else wants it halted as well", () => {
    const { dispatch, attempt } = running();
    halt(dispatch, { holder: budget });
    expect(halt(dispatch)).toEqual(['AttemptHaltOrdered']);
    halt(dispatch, { how: 'kill', holder: budget });
    halted(dispatch, attempt);
    expect(dispatch.types({ type: 'lift', holder: budget, reason })).toEqual([]);
    expect(resume(dispatch)).toEqual(['TaskResumed']);
  });

  test('comes too late for one that completes meanwhile', () => {
    const { dispatch, attempt } = running();
    halt(dispatch);
    dispatch.complete(attempt);
    expect(dispatch.status('t')).toBe('completed');
    expect(() => halted(dispatch, attempt)).not.toThrow();
    expect(dispatch.status('t')).toBe('completed');
  });

  test.each([
    ['its lease expires', (it: Dispatch) => it.later(31_000).tick(), 'LeaseExpired'],
    ['its worker goes', (it: Dispatch) => gone(it), 'AttemptReleased'],
    ['it fails for good', (it: Dispatch, at: Running) => fail(it, at), 'AttemptFailed'],
  ] as const)('pauses the task when %s before it was halted', (_, end, type) => {
    const { dispatch, attempt } = running({ attemptsMax: 1 });
    halt(dispatch);
    expect(end(dispatch, attempt).slice(0, 2)).toEqual([type, 'TaskPaused']);
    expect(dispatch.status('t')).toBe('paused');
    expect(dispatch.state.tasks.get('t')?.spentAttempts).toBe(0);
    expect(conversationIn(dispatch)).toMatchObject({ sessionId: 'session', host: 'h' });
  });

  test('is done once, also when its worker tells it again because the answer was lost', () => {
    const { dispatch, attempt } = running();
    halt(dispatch);
    halted(dispatch, attempt);
    expect(halted(dispatch, attempt)).toEqual([]);
  });

  test('that nobody ordered is refused', () => {
    const { dispatch, attempt } = running();
    expect(() => halted(dispatch, attempt)).toThrow('Nobody ordered');
    expect(dispatch.status('t')).toBe('running');
  });
});

function gone(dispatch: Dispatch): string[] {
  return dispatch.types({ type: 'worker-gone', workerId: 'w', reason });
}
function fail(dispatch: Dispatch, attempt: Running): string[] {
  return dispatch.fail(attempt, { retryable: false }).map(({ type }) => type);
}

describe('A halt of a scope', () => {
  test('orders it of every attempt that runs there, and leaves what is queued to gates', () => {
    const dispatch = new Dispatch().worker('w');
    dispatch.submit({ taskId: 'a', team: 'web' }, { taskId: 'b' }, { taskId: 'c', team: 'web' });
    for (let count = 0; count < 3; count += 1) dispatch.run('w');
    dispatch.submit({ taskId: 'd', team: 'web' });
    const events = dispatch.when({
      ...{ type: 'halt', target: { scope: 'team:web' }, how: 'kill', reason, holder: budget },
    });
    expect(events.map(({ data }) => 'taskId' in data && data.taskId)).toEqual(['a', 'c']);
    expect(dispatch.status('d')).toBe('ready');
  });
});

describe('A task that does not run', () => {
  test.each([
    ['ready', {}],
    ['waiting', { dependsOn: ['x'] }],
  ])('is paused at once when it is %s, and goes on there', (status, given) => {
    const dispatch = new Dispatch().submit({ taskId: 'x' }).submit(given);
    expect(halt(dispatch)).toEqual(['TaskPaused']);
    expect(dispatch.status('t')).toBe('paused');
    expect(conversationIn(dispatch)).toBeNull();
    resume(dispatch);
    expect(dispatch.status('t')).toBe(status);
  });

  test('is not claimed while it is paused, also where it waited for others that have completed', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'x' });
    dispatch.submit({ dependsOn: ['x'] });
    halt(dispatch);
    dispatch.complete(dispatch.run('w'));
    expect(dispatch.claim('w')).toBeUndefined();
    resume(dispatch);
    expect(dispatch.claim('w')).toBe('t');
  });

  test('and has ended cannot be paused or resumed', () => {
    const { dispatch, attempt } = running();
    dispatch.complete(attempt);
    expect(() => halt(dispatch)).toThrow('cannot be paused');
    expect(() => resume(dispatch)).toThrow('cannot be resumed');
  });

  test('and is paused is taken over by an operator, and by nothing else', () => {
    const dispatch = new Dispatch().submit({});
    halt(dispatch, { holder: budget });
    expect(halt(dispatch, { holder: 'budget:team' })).toEqual([]);
    expect(halt(dispatch)).toEqual(['TaskPaused']);
    expect(dispatch.types({ type: 'lift', holder: budget, reason })).toEqual([]);
  });
});

/** Paused in the middle of its conversation on host `h`. */
function paused(holder: string | null = null): Dispatch {
  const { dispatch, attempt } = running({ agent: 'any' });
  halt(dispatch, { holder });
  halted(dispatch, attempt);
  return dispatch;
}

describe('A task that is resumed', () => {
  test('carries its conversation on where that is, and nowhere else', () => {
    const dispatch = paused();
    dispatch.worker('elsewhere', { host: 'other' });
    dispatch.worker('another agent', { host: 'h', seats: [codex] });
    resume(dispatch);
    expect(dispatch.claim('elsewhere')).toBeUndefined();
    expect(dispatch.claim('another agent')).toBeUndefined();
    expect(dispatch.claim('w')).toBe('t');
    const [attempt] = dispatch.state.running.values();
    expect(attempt?.carriesOn).toMatchObject({ sessionId: 'session', host: 'h' });
  });

  test('and halted again goes on in the work place in which it began', () => {
    const dispatch = paused();
    const first = conversationIn(dispatch);
    resume(dispatch);
    const again = dispatch.run('w');
    halt(dispatch, { how: 'kill' });
    halted(dispatch, again);
    expect(conversationIn(dispatch)).toEqual(first);
  });

  test('and fails begins anew: where the conversation led is not tried again', () => {
    const dispatch = paused();
    dispatch.worker('elsewhere', { host: 'other' });
    resume(dispatch);
    dispatch.fail(dispatch.run('w'));
    dispatch.later(60_000);
    expect(dispatch.claim('elsewhere')).toBe('t');
    expect([...dispatch.state.running.values()][0]?.carriesOn).toBeNull();
  });

  test('while it is still being halted goes on as soon as it has been', () => {
    const { dispatch, attempt } = running();
    halt(dispatch);
    expect(resume(dispatch)).toEqual(['TaskResumed']);
    expect(dispatch.status('t')).toBe('running');
    expect(halted(dispatch, attempt)).toEqual(['AttemptHalted', 'TaskPaused', 'TaskResumed']);
    expect(dispatch.status('t')).toBe('ready');
    expect(conversationIn(dispatch)).toMatchObject({ sessionId: 'session' });
  });

  test('while it is still being halted fails as it would have without that', () => {
    const { dispatch, attempt } = running({ attemptsMax: 1 });
    halt(dispatch);
    resume(dispatch);
    dispatch.fail(attempt);
    expect(dispatch.status('t')).toBe('parked');
  });

  test('twice, or never halted, is as it was', () => {
    const dispatch = paused();
    expect(resume(dispatch)).toEqual(['TaskResumed']);
    expect(resume(dispatch)).toEqual([]);
    expect(resume(running().dispatch)).toEqual([]);
  });

  test('by its holder is one that this holder halted', () => {
    const dispatch = paused(budget);
    dispatch.submit({ taskId: 'other' });
    halt(dispatch, { taskId: 'other', holder: 'budget:team' });
    const events = dispatch.when({ type: 'lift', holder: budget, reason });
    expect(events).toMatchObject([{ type: 'TaskResumed', data: { taskId: 't' } }]);
    expect(dispatch.status('other')).toBe('paused');
  });
});

describe('A task that is paused', () => {
  test('and retried begins anew, anywhere', () => {
    const dispatch = paused();
    dispatch.worker('elsewhere', { host: 'other' });
    expect(dispatch.types({ type: 'retry', taskId: 't' })).toEqual(['TaskRetried']);
    expect(dispatch.claim('elsewhere')).toBe('t');
  });

  test('and resumed and then retried does so, too: its host may never come back', () => {
    const dispatch = paused();
    dispatch.worker('elsewhere', { host: 'other' });
    resume(dispatch);
    expect(dispatch.types({ type: 'retry', taskId: 't' })).toEqual(['TaskRetried']);
    expect(dispatch.claim('elsewhere')).toBe('t');
  });

  test.each(['cancel', 'park'] as const)('can still be the end of it: %s', (type) => {
    const dispatch = paused();
    dispatch.when({ type, taskId: 't', reason });
    expect(dispatch.status('t')).toBe(type === 'cancel' ? 'cancelled' : 'parked');
    expect(conversationIn(dispatch)).toBeNull();
  });
});

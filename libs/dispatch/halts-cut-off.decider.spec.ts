import { Dispatch, type Running } from './dispatch.spec-helper.js';

const silence = 'the server was not heard of';

/** A task that runs on host `h`, in a session. */
function running(attemptsMax = 1): { dispatch: Dispatch; attempt: Running } {
  const dispatch = new Dispatch().worker('w', { host: 'h' }).submit({ attemptsMax });
  const attempt = dispatch.run('w');
  const { attemptId, fencingToken } = attempt;
  const news = { sessionId: 'session', percent: null };
  dispatch.when({ type: 'progress', attemptId, fencingToken, ...news });
  return { dispatch, attempt };
}

function halted(
  dispatch: Dispatch,
  { attemptId, fencingToken }: Running,
  goesOn: boolean,
): string[] {
  const seen = { sessionId: null, processesEnded: 2, survivors: [] };
  const cutOff = { reason: silence, goesOn };
  return dispatch.types({ type: 'halted', attemptId, fencingToken, cutOff, ...seen });
}

const taskIn = (dispatch: Dispatch) => dispatch.state.tasks.get('t');

describe('An agent that its worker ended without an order, cut off from the server,', () => {
  test('at a limit leaves its task paused by the worker, until somebody resumes its conversation', () => {
    const { dispatch, attempt } = running();
    expect(halted(dispatch, attempt, false)).toEqual(['AttemptHalted', 'TaskPaused']);
    const status = { is: 'paused', reason: silence, holder: 'worker:w' };
    expect(taskIn(dispatch)).toMatchObject({ status, spentAttempts: 0 });
    const resume = { type: 'resume-task', taskId: 't', reason: '' } as const;
    expect(dispatch.types(resume)).toEqual(['TaskResumed']);
    expect(taskIn(dispatch)?.conversation).toMatchObject({ sessionId: 'session', host: 'h' });
  });

  test('at no limit has its task go on by itself, in its conversation', () => {
    const { dispatch, attempt } = running();
    const told = halted(dispatch, attempt, true);
    expect(told).toEqual(['AttemptHalted', 'TaskPaused', 'TaskResumed']);
    expect(taskIn(dispatch)).toMatchObject({
      ...{ status: { is: 'ready' }, spentAttempts: 0 },
      conversation: { sessionId: 'session', host: 'h' },
    });
  });

  test('is told once, also when the answer was lost', () => {
    const { dispatch, attempt } = running();
    halted(dispatch, attempt, false);
    expect(halted(dispatch, attempt, false)).toEqual([]);
  });

  test('is halted as ordered where there was an order', () => {
    const { dispatch, attempt } = running();
    const order = { how: 'pause', reason: 'the money is gone', holder: 'budget:day' } as const;
    dispatch.when({ type: 'halt', target: { taskId: 't' }, ...order });
    halted(dispatch, attempt, true);
    expect(taskIn(dispatch)?.status).toMatchObject({ is: 'paused', holder: 'budget:day' });
  });

  test('too late, when its task is with another worker, changes nothing there', () => {
    const { dispatch, attempt } = running(2);
    dispatch.later(31_000).tick();
    const other = dispatch.later(10_000).worker('v', { host: 'other' }).run('v');
    expect(halted(dispatch, attempt, false)).toEqual(['StaleTokenRefused']);
    expect(taskIn(dispatch)?.status).toEqual({ is: 'running', attemptId: other.attemptId });
  });
});

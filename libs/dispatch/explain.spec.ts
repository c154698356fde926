import { claude, Dispatch } from './dispatch.spec-helper.js';
import { explain } from './explain.js';

const reason = 'because';

function why(dispatch: Dispatch, taskId = 't', budgets: Parameters<typeof explain>[3] = []) {
  return explain(dispatch.state, taskId, dispatch.nowMs, budgets).waitsFor;
}

describe('Why a task waits', () => {
  test('is what it depends on', () => {
    const dispatch = new Dispatch().submit({ taskId: 'a' }, { dependsOn: ['a'] });
    dispatch.when({ type: 'park', taskId: 'a', reason });
    expect(why(dispatch)).toEqual([{ for: 'dependency', taskId: 'a', status: 'parked' }]);
  });

  test('is that its time has not come', () => {
    const dispatch = new Dispatch().worker('w').submit({});
    dispatch.fail(dispatch.run('w'));
    expect(why(dispatch)).toEqual([{ for: 'time', untilMs: 5_000 }]);
    expect(why(dispatch.later(5_000))).toMatchObject([{ for: 'turn' }]);
  });

  test('is that nobody has a seat for it', () => {
    const dispatch = new Dispatch().worker('w').submit({ agent: 'codex', model: 'gpt' });
    expect(why(dispatch)).toEqual([{ for: 'seat', agent: 'codex', model: 'gpt', host: null }]);
  });

  test('is that all who could are busy', () => {
    const dispatch = new Dispatch().worker('w', { slots: 1 }).submit({ taskId: 'a' }, {});
    dispatch.claim('w');
    expect(why(dispatch)).toEqual([{ for: 'slot', workerId: 'w', running: 1 }]);
  });

  test('is every gate that is closed, each once', () => {
    const dispatch = new Dispatch().worker('w').worker('v').submit({ team: 'core' });
    dispatch.when({ type: 'pause', scope: 'all', reason });
    dispatch.when({ type: 'trip', scope: 'team:core', reason });
    dispatch.when({ type: 'limit-wip', scope: 'account:one', limit: 0 });
    const hint = { cause: 'rate-limit', retryAfterMs: 9_000, random: 0 } as const;
    dispatch.when({ type: 'cool-down', ...claude, model: null, hint });
    const budget = { scope: 'team:core', limitNanoUsd: 5, spentNanoUsd: 6, shut: null };
    expect(why(dispatch, 't', [budget])).toMatchObject([
      { gate: 'paused', scope: 'all', reason },
      { gate: 'tripped', scope: 'team:core', reason },
      { gate: 'cooling-down', account: 'one', untilMs: 9_000 },
      { gate: 'wip-limit', scope: 'account:one', running: 0, limit: 0 },
      { gate: 'budget', scope: 'team:core', spentNanoUsd: 6, reservedNanoUsd: 0 },
    ]);
  });

  test('is those before it, when nothing else is', () => {
    const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }).later(1).submit({});
    expect(why(dispatch)).toEqual([{ for: 'turn', aheadOfItsKind: 1 }]);
  });

  test('is nothing when it runs or has ended', () => {
    const dispatch = new Dispatch().worker('w').submit({});
    const attempt = dispatch.run('w');
    expect(why(dispatch)).toEqual([]);
    dispatch.complete(attempt);
    expect(why(dispatch)).toEqual([]);
  });

  test('of a task that nobody knows is refused', () => {
    expect(() => why(new Dispatch(), 'nobody')).toThrow('There is no task nobody');
  });
});

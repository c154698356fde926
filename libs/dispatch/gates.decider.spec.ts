import { limits } from '#kernel/limits.js';
import type { BudgetReading } from './commands.js';
import { claude, codex, Dispatch } from './dispatch.spec-helper.js';

const reason = 'because';
const scopes = [
  'all',
  'lane:normal',
  'shard:impl',
  'worker:w',
  'agent:claude-code',
  'account:one',
  'model:sonnet',
  'team:core',
  'project:billing',
];
const tagged = { model: 'sonnet', team: 'core', project: 'billing' };

describe.each([
  ['pause', 'resume', ['ClaimsPaused'], ['ClaimsResumed']],
  ['drain', 'resume', ['DrainStarted'], ['ClaimsResumed']],
  ['trip', 'reset', ['ScopeTripped'], ['ScopeReset']],
] as const)('To %s', (shut, open, shutting, opening) => {
  test.each(scopes)('%s keeps its tasks from being claimed, until its end', (scope) => {
    const dispatch = new Dispatch().worker('w').submit(tagged);
    expect(dispatch.types({ type: shut, scope, reason })).toEqual(shutting);
    expect(dispatch.types({ type: shut, scope, reason })).toEqual([]);
    expect(dispatch.claim('w')).toBeUndefined();
    expect(dispatch.types({ type: open, scope, reason })).toEqual(opening);
    expect(dispatch.types({ type: open, scope, reason })).toEqual([]);
    expect(dispatch.claim('w')).toBe('t');
  });

  test('one scope leaves the others alone, and what runs', () => {
    const dispatch = new Dispatch()
      .worker('w')
      .submit({ taskId: 'a', team: 'core' }, { taskId: 'b' });
    const attempt = dispatch.run('w');
    dispatch.when({ type: shut, scope: 'team:core', reason });
    expect(dispatch.claim('w')).toBe('b');
    expect(dispatch.complete(attempt)).toHaveLength(1);
  });
});

test('A drain may become a pause, and the other way round', () => {
  const dispatch = new Dispatch();
  dispatch.when({ type: 'drain', scope: 'all', reason });
  expect(dispatch.types({ type: 'pause', scope: 'all', reason })).toEqual(['ClaimsPaused']);
  expect(dispatch.types({ type: 'drain', scope: 'all', reason })).toEqual(['DrainStarted']);
});

describe('Gates of too many scopes', () => {
  test.each(['pause', 'drain'] as const)('are refused to %s, but never to trip', (type) => {
    const dispatch = new Dispatch();
    for (let team = 0; team < limits.scopesMax; team += 1) {
      dispatch.when({ type, scope: `team:${team}`, reason });
    }
    expect(dispatch.refusal({ type, scope: 'all', reason })).toBe('TOO_MANY_SCOPES');
    expect(dispatch.types({ type: 'trip', scope: 'all', reason })).toEqual(['ScopeTripped']);
    expect(dispatch.types({ type: 'resume', scope: 'team:7', reason })).toEqual(['ClaimsResumed']);
    expect(dispatch.types({ type, scope: 'all', reason })).toHaveLength(1);
  });

  test('are refused to limit', () => {
    const dispatch = new Dispatch();
    const limit = (scope: string) => ({ type: 'limit-wip', scope, limit: 1 }) as const;
    for (let team = 0; team < limits.scopesMax; team += 1) dispatch.when(limit(`team:${team}`));
    expect(dispatch.refusal(limit('all'))).toBe('TOO_MANY_SCOPES');
  });
});

describe('A limit of work in progress', () => {
  test.each(scopes)('of %s holds, and what ends makes room', (scope) => {
    const dispatch = new Dispatch().worker('w');
    dispatch.when({ type: 'limit-wip', scope, limit: 1 });
    dispatch.submit({ ...tagged, taskId: 'a' }, { ...tagged, taskId: 'b' });
    const attempt = dispatch.run('w');
    expect(dispatch.claim('w')).toBeUndefined();
    dispatch.complete(attempt);
    expect(dispatch.claim('w')).toBe('b');
  });

  test('takes another seat where one is full', () => {
    const dispatch = new Dispatch().worker('w', { seats: [claude, codex] });
    dispatch.when({ type: 'limit-wip', scope: 'agent:claude-code', limit: 0 });
    dispatch.submit({}).claim('w');
    expect([...dispatch.state.running.values()][0]?.agent).toBe('codex');
  });

  test('can be lifted', () => {
    const dispatch = new Dispatch().worker('w').submit({});
    const limit = (of: number | null) =>
      dispatch.types({ type: 'limit-wip', scope: 'all', limit: of });
    expect([limit(0), limit(0)]).toEqual([['WipLimitSet'], []]);
    expect(dispatch.claim('w')).toBeUndefined();
    expect([limit(null), limit(null)]).toEqual([['WipLimitSet'], []]);
    expect(dispatch.claim('w')).toBe('t');
  });
});

describe('A budget', () => {
  const reading = (spentNanoUsd: number, limitNanoUsd = 100): BudgetReading => ({
    scope: 'team:core',
    limitNanoUsd,
    spentNanoUsd,
    shut: null,
  });

  test('that is shut lets nothing of its scope begin, whatever is left of it', () => {
    const dispatch = new Dispatch().worker('w');
    dispatch.submit({ taskId: 'core', team: 'core' }, { taskId: 'web', team: 'web' });
    const shut = { ...reading(0), limitNanoUsd: null, shut: 'Budget pace has tripped' };
    expect(dispatch.claim('w', [shut])).toBe('web');
    expect(dispatch.claim('w', [shut])).toBeUndefined();
    expect(dispatch.claim('w', [{ ...shut, shut: null }])).toBe('core');
  });

  test('is never exceeded by spent and reserved: fifty at once at 95 %', () => {
    const dispatch = new Dispatch().worker('w', { slots: 64 });
    const tasks = Array.from({ length: 50 }, (_, index) => ({
      taskId: `t${index}`,
      team: 'core',
      reserveNanoUsd: 2,
    }));
    dispatch.submit(...tasks);
    const claimed = tasks.filter(() => dispatch.claim('w', [reading(95)]) !== undefined);
    expect(claimed).toHaveLength(2);
    expect(dispatch.state.reservedNanoUsd.get('team:core')).toBe(4);
  });

  test('lets a smaller task by where a larger one does not fit', () => {
    const dispatch = new Dispatch().worker('w');
    dispatch.submit({ taskId: 'large', team: 'core', reserveNanoUsd: 50 });
    dispatch.submit({ taskId: 'small', team: 'core', reserveNanoUsd: 5 });
    expect(dispatch.claim('w', [reading(90)])).toBe('small');
  });

  test('that is used up lets nothing begin, not even what reserves nothing', () => {
    const dispatch = new Dispatch().worker('w').submit({ team: 'core' });
    expect(dispatch.claim('w', [reading(100)])).toBeUndefined();
    expect(dispatch.claim('w', [reading(99)])).toBe('t');
  });

  test('of another scope does not matter', () => {
    const dispatch = new Dispatch().worker('w').submit({ team: 'web' });
    expect(dispatch.claim('w', [reading(100)])).toBe('t');
  });

  test('keeps what an attempt reserved for a while after its end, since spend is told later', () => {
    const dispatch = new Dispatch().worker('w');
    const dear = { team: 'core', reserveNanoUsd: 60 };
    dispatch.submit({ ...dear, taskId: 'a' }, { ...dear, taskId: 'b' });
    dispatch.complete(dispatch.run('w'));
    expect(dispatch.later(limits.settlingMs - 1).claim('w', [reading(0)])).toBeUndefined();
    expect(dispatch.later(1).claim('w', [reading(30)])).toBe('b');
  });
});

import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import { kindOfTask } from './claims.decider.js';
import { isOpen } from './dispatch-state.js';
import { Dispatch, task } from './dispatch.spec-helper.js';
import { keyOf } from './ready-queue.js';

const reason = 'because';

describe('A full queue', () => {
  const full = (...held: string[]) => {
    const dispatch = new Dispatch().submit(...held.map((taskId) => ({ taskId })));
    const openTasks = limits.tasksOpenMax - dispatch.state.parkedTasks;
    dispatch.state = { ...dispatch.state, openTasks };
    return dispatch;
  };

  test('takes no more, and no repetition is more', () => {
    const dispatch = full('a');
    const submit = (taskId: string) =>
      dispatch.refusal({ type: 'submit', tasks: [task({ taskId })] });
    expect([submit('b'), submit('a')]).toEqual(['QUEUE_FULL', undefined]);
    dispatch.when({ type: 'cancel', taskId: 'a', reason });
    expect(submit('b')).toBeUndefined();
  });

  test('counts what waits in the dead letters, which is replayed without new room', () => {
    const dispatch = full('a', 'b');
    dispatch.when({ type: 'park', taskId: 'a', reason });
    expect(dispatch.refusal({ type: 'submit', tasks: [task()] })).toBe('QUEUE_FULL');
    expect(dispatch.types({ type: 'replay', taskId: 'a' })).toEqual(['TaskReplayed']);
  });

  test('takes no cancelled task back', () => {
    const dispatch = new Dispatch().submit({});
    dispatch.when({ type: 'cancel', taskId: 't', reason });
    dispatch.state = { ...dispatch.state, openTasks: limits.tasksOpenMax };
    expect(dispatch.refusal({ type: 'retry', taskId: 't' })).toBe('QUEUE_FULL');
  });
});

describe('The number of kinds', () => {
  /** As many kinds as may be, each of one task: `t0`, `t1`, ... */
  function manyKinds(): Dispatch {
    const count = limits.taskKindsMax;
    return new Dispatch().submit(
      ...Array.from({ length: count }, (_, n) => ({ taskId: `t${n}`, reserveNanoUsd: n })),
    );
  }
  const other = { reserveNanoUsd: 1e9 };

  test('has a limit, which another task of a known kind does not touch', () => {
    const dispatch = manyKinds();
    const submit = (given: object) =>
      dispatch.refusal({ type: 'submit', tasks: [task({ taskId: 'new', ...given })] });
    expect([submit(other), submit({ team: 'core' }), submit({ model: 'opus' })]).toEqual(
      Array(3).fill('TOO_MANY_KINDS'),
    );
    expect(submit({ reserveNanoUsd: 7 })).toBeUndefined();
  });

  test('is that of open tasks: what has ended makes room, until somebody wants it back', () => {
    const dispatch = manyKinds();
    dispatch.when({ type: 'cancel', taskId: 't0', reason });
    dispatch.when({ type: 'park', taskId: 't1', reason });
    dispatch.submit({ taskId: 'new', ...other }, { taskId: 'too', project: 'billing' });
    expect(dispatch.refusal({ type: 'retry', taskId: 't0' })).toBe('TOO_MANY_KINDS');
    expect(dispatch.refusal({ type: 'replay', taskId: 't1' })).toBe('TOO_MANY_KINDS');
    dispatch.when({ type: 'cancel', taskId: 'new', reason });
    expect(dispatch.types({ type: 'retry', taskId: 't0' })).toEqual(['TaskRetried']);
  });

  test('lets a task change its kind when it leaves none behind', () => {
    const dispatch = manyKinds();
    const change = (taskId: string) =>
      dispatch.refusal({ type: 'reprioritise', taskId, lane: 'critical' });
    dispatch.submit({ taskId: 'second of t0', reserveNanoUsd: 0 });
    expect(change('t0')).toBe('TOO_MANY_KINDS');
    expect(change('t1')).toBeUndefined();
  });

  test('that the state counts is always that of its open tasks', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd');
    const lane = fc.constantFrom('critical', 'normal', 'background');
    const type = fc.constantFrom(
      ...[
        'submit',
        'cancel',
        'park',
        'retry',
        'replay',
        'reprioritise',
        'claim',
        'fail',
        'complete',
      ],
    );
    const step = fc.record({ type, id, other: id, lane, reserve: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 30, maxLength: 60 }), (steps) => {
        const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }, { taskId: 'b' });
        for (const { type: what, id: taskId, other: dependency, lane: to, reserve } of steps) {
          const attempt = [...dispatch.state.running.values()][0];
          dispatch.later(1_000);
          if (what === 'submit') {
            const dependsOn = dependency === taskId ? [] : [dependency];
            const one = task({ taskId, lane: to as 'normal', reserveNanoUsd: reserve, dependsOn });
            dispatch.refusal({ type: 'submit', tasks: [one] });
          } else if (what === 'claim') dispatch.claim('w');
          else if (what === 'fail') {
            if (attempt !== undefined) dispatch.fail(attempt);
          } else if (what === 'complete') {
            if (attempt?.phase === 'claimed') {
              dispatch.when({ type: 'start', ...attempt, sessionId: null });
            }
            if (attempt) dispatch.complete(attempt);
          } else {
            dispatch.refusal({ type: what as 'cancel', taskId, reason, lane: to } as never);
          }
          const open = [...dispatch.state.tasks.values()].filter(({ status }) => isOpen(status));
          const kinds = new Map<string, number>();
          for (const key of open.map((it) => keyOf(kindOfTask(it)))) {
            kinds.set(key, (kinds.get(key) ?? 0) + 1);
          }
          expect(new Map([...dispatch.state.openKinds])).toEqual(kinds);
          expect(dispatch.state.openTasks).toBe(open.length);
        }
      }),
    );
  });
});

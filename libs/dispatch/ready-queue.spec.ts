import fc from 'fast-check';
import { task } from './dispatch.spec-helper.js';
import { kindOf, ReadyQueue, type DelayedTask } from './ready-queue.js';

const kind = kindOf({ ...task(), host: null });
const heads = (queue: ReadyQueue, nowMs: number) =>
  [...queue.heads(nowMs)].map(({ head }) => head.taskId);

describe('The ready queue', () => {
  test('has the next of each kind at its head, whatever is put in, delayed and taken out', () => {
    const step = fc.record({
      id: fc.nat(40),
      dueMs: fc.nat(20),
      isIn: fc.boolean(),
      notBeforeMs: fc.option(fc.nat(30), { nil: 0 }),
      // Also back: whoever asks about a time before must be told what was so then.
      nowMs: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const queue = new ReadyQueue();
        const model = new Map<string, { dueMs: number; order: number; notBeforeMs: number }>();
        for (const [order, { id, dueMs, isIn, notBeforeMs, nowMs }] of steps.entries()) {
          const taskId = `t${id}`;
          queue.take(taskId);
          model.delete(taskId);
          const place = { taskId, dueMs, order };
          if (isIn && notBeforeMs === 0) queue.put(kind, place);
          if (isIn && notBeforeMs > 0) queue.putLater({ ...place, kind, notBeforeMs });
          if (isIn) model.set(taskId, { dueMs, order, notBeforeMs });
          const [first] = [...model]
            .filter(([, it]) => it.notBeforeMs <= nowMs)
            .sort(([, a], [, b]) => a.dueMs - b.dueMs || a.order - b.order);
          expect(heads(queue, nowMs)).toEqual(first ? [first[0]] : []);
          const ready = [...model.values()].filter((it) => it.notBeforeMs === 0);
          expect(queue.length).toBe(ready.length);
        }
      }),
    );
  });

  test('stays in order when most of its middle is taken out', () => {
    const queue = new ReadyQueue();
    for (let n = 0; n < 1_000; n += 1) queue.put(kind, { taskId: `t${n}`, dueMs: n, order: n });
    for (let n = 1; n < 1_000; n += 1) queue.take(`t${n}`);
    expect(heads(queue, 0)).toEqual(['t0']);
    expect(queue.aheadInLine('t0', 0)).toBe(0);
    queue.take('t0');
    expect(heads(queue, 0)).toEqual([]);
  });

  test('says how many are before one, when its time has come', () => {
    const queue = new ReadyQueue();
    queue.put(kind, { taskId: 'a', dueMs: 1, order: 1 });
    queue.putLater({ taskId: 'b', dueMs: 2, order: 2, kind, notBeforeMs: 10 });
    expect([9, 10].map((nowMs) => queue.aheadInLine('b', nowMs))).toEqual([undefined, 1]);
  });

  test('looks at a few delayed tasks each time, and lets each in once', () => {
    const queue = new ReadyQueue();
    const count = 10_000;
    let looks = 0;
    const delayed = (n: number): DelayedTask => ({
      ...{ taskId: `t${n}`, dueMs: n, order: n, kind },
      get notBeforeMs() {
        looks += 1;
        return 1_000 + n;
      },
    });
    for (let n = 0; n < count; n += 1) queue.putLater(delayed(n));
    const looksAt = (nowMs: number) => {
      looks = 0;
      expect(heads(queue, nowMs)).toEqual(nowMs < 1_000 ? [] : ['t0']);
      return looks;
    };
    expect(looksAt(999)).toBeLessThan(10);
    // One is let in, which costs about as many looks as its heap is deep.
    expect(looksAt(1_000)).toBeLessThan(100);
    expect(looksAt(1_000 + count)).toBeGreaterThan(count);
    expect(looksAt(1_000 + count)).toBeLessThan(10);
  });
});

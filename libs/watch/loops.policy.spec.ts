import fc from 'fast-check';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { Loops, type LoopFound } from './loops.policy.js';
import {
  answered,
  attemptCompleted,
  attemptFailed,
  claimed,
  event,
  exhausted,
  failed,
  parked,
  retried,
  second,
  session,
  started,
  tool,
} from './watch.specification.js';

function loopsIn(events: readonly RecordedDomainEvent[]): LoopFound[] {
  const loops = new Loops();
  return events.flatMap((it) => loops.observe(it) ?? []);
}

const times = <Made>(count: number, make: (index: number) => Made): Made[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('Requests of one session to one model that fail', () => {
  test('five times in ten minutes are a loop, which is told once', () => {
    const events = times(20, (n) => failed(n * 10));
    expect(loopsIn(events)).toEqual([
      {
        ...{ ...session, taskId: null, what: 'request', name: 'claude-x', times: 5 },
        ...{ sinceMs: second(0), error: 'overloaded', causeId: events[4]?.id, atMs: second(40) },
      },
    ]);
  });

  test('four times are none, nor are five in more than ten minutes', () => {
    expect(loopsIn(times(4, (n) => failed(n)))).toEqual([]);
    expect(loopsIn(times(20, (n) => failed(n * 151)))).toEqual([]);
  });

  test('are no loop when an answer comes between, whichever way they arrive', () => {
    const events = [failed(1), failed(2), failed(3), answered(4), failed(5), failed(6)];
    expect(loopsIn(events)).toEqual([]);
    expect(loopsIn([answered(4), failed(1), failed(2), failed(3), failed(5), failed(6)])).toEqual(
      [],
    );
  });

  test('are a loop again after an answer, or after an hour', () => {
    const row = (at: number) => times(5, (n) => failed(at + n));
    expect(loopsIn([...row(0), ...row(10)])).toHaveLength(1);
    expect(loopsIn([...row(0), answered(7), ...row(10)])).toHaveLength(2);
    expect(loopsIn([...row(0), ...row(3_580)])).toHaveLength(1);
    expect(loopsIn([...row(0), ...row(3_604)])).toHaveLength(2);
  });

  test('of other sessions and other models do not add up', () => {
    const others = times(9, (n) =>
      failed(n, n % 3 === 0 ? {} : n % 3 === 1 ? { model: 'other' } : { sessionId: 's2' }),
    );
    expect(loopsIn(others)).toEqual([]);
  });

  test('count as often as the client tried, as it tells when it gives up', () => {
    const ofClaude = [failed(1, { attempt: 11 }), exhausted(1, 11), retried(1, 11, false)];
    expect(loopsIn(ofClaude)).toMatchObject([{ times: 11 }]);
    // What several kinds of events tell of the same request is not added up.
    expect(loopsIn([failed(1, { attempt: 4 }), exhausted(1, 4), retried(1, 4, false)])).toEqual([]);
    expect(loopsIn([retried(1, 11, true)])).toEqual([]);
  });

  test('count one by one where the client numbers each attempt', () => {
    const ofCodex = [1, 2, 1, 2].map((attempt, n) => failed(n, { attempt }));
    expect(loopsIn(ofCodex)).toEqual([]);
    expect(loopsIn([...ofCodex, failed(9, { attempt: 1 })])).toMatchObject([{ times: 5 }]);
  });

  test('are told at most once for each answer between, in any order and however often they come', () => {
    const told = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 590 }), fc.integer({ min: 0, max: 9 })), {
        maxLength: 40,
      })
      .map((all) => all.map(([at, kind]) => (kind === 0 ? answered(at) : failed(at))));
    fc.assert(
      fc.property(
        told.chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.shuffledSubarray([...events, ...events], {
              minLength: events.length * 2,
              maxLength: events.length * 2,
            }),
          ),
        ),
        ([events, arrived]) => {
          const answers = events.filter(({ type }) => type === 'UsageRecorded').length;
          const found = loopsIn(arrived).length;
          expect(found).toBeLessThanOrEqual(answers + 1);
          if (answers === 0) expect(found).toBe(events.length >= 5 ? 1 : 0);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('A tool', () => {
  const failing = (n: number) => tool(n, { succeeded: false, errorType: 'ShellError' });

  test('that fails ten times in a row with the same error is a loop, told once', () => {
    expect(loopsIn(times(30, failing))).toMatchObject([
      { what: 'tool', name: 'Bash', times: 10, sinceMs: second(0), error: 'ShellError' },
    ]);
  });

  test('that fails between other calls, or in other ways, is none', () => {
    const edits = (n: number) => (n % 2 === 0 ? failing(n) : tool(n, { toolName: 'Edit' }));
    expect(loopsIn(times(40, edits))).toEqual([]);
    const errors = (n: number) => tool(n, { succeeded: false, errorType: `error ${n % 2}` });
    expect(loopsIn(times(40, errors))).toEqual([]);
  });

  test('whose calls of one answer all fail has failed once', () => {
    const parallel = (n: number) =>
      tool(n, { succeeded: false, errorType: 'NotFound', requestId: `r${Math.floor(n / 9)}` });
    expect(loopsIn(times(80, parallel))).toEqual([]);
    expect(loopsIn(times(90, parallel))).toMatchObject([{ times: 10 }]);
  });

  test('that fails again after it succeeded is a loop again', () => {
    const row = (at: number) => times(10, (n) => failing(at + n));
    expect(loopsIn([...row(0), tool(15), ...row(20)])).toHaveLength(2);
    expect(loopsIn([...row(0), tool(15, { toolName: 'Read' }), ...row(20)])).toHaveLength(1);
  });

  test('that is called the same way with the same result in twenty answers is a repetition', () => {
    const asking = (n: number) => tool(n, { requestId: `r${n}` });
    expect(loopsIn(times(19, asking))).toEqual([]);
    expect(loopsIn(times(60, asking))).toMatchObject([
      { what: 'repetition', name: 'Bash', times: 20, error: '' },
    ]);
  });

  test('that is called in another way now and then, or of which too little is told, repeats nothing', () => {
    const varied = (n: number) => tool(n, { resultBytes: n % 19 === 0 ? 31 : 30 });
    expect(loopsIn(times(100, varied))).toEqual([]);
    expect(loopsIn(times(100, (n) => tool(n, { inputBytes: null })))).toEqual([]);
  });
});

describe("A task's attempts", () => {
  const tries = (count: number, error = (n: number) => `exit 1 after ${n} ms`) =>
    times(count, (n) => [
      claimed(n * 10),
      started(n * 10),
      attemptFailed(n * 10 + 5, { error: error(n) }),
    ]).flat();

  test('that fail alike three times are a loop when it is claimed once more', () => {
    expect(loopsIn(tries(3))).toEqual([]);
    expect(loopsIn(tries(6))).toMatchObject([
      { ...session, what: 'attempt', name: 't1', taskId: 't1', times: 3, sinceMs: second(5) },
    ]);
  });

  test('that fail in different ways are none', () => {
    expect(loopsIn(tries(8, (n) => (n % 2 === 0 ? 'killed' : 'no result')))).toEqual([]);
  });

  test('are none when the task is parked, which says so itself, or ends', () => {
    for (const end of [parked(31), attemptCompleted(31)]) {
      expect(loopsIn([...tries(3), end, claimed(40)])).toEqual([]);
    }
  });

  test('that a provider refused, or that no agent worked on, are none', () => {
    const cool = attemptFailed(1, { cause: 'cool-down' });
    expect(loopsIn(times(9, () => [claimed(0), started(1), cool]).flat())).toEqual([]);
    expect(loopsIn(times(9, (n) => [claimed(n), attemptFailed(n)]).flat())).toEqual([]);
  });
});

describe('A loop that the log tells of', () => {
  const told = (what: 'request' | 'tool' | 'repetition', name: string) =>
    event(5, 'LoopDetected', {
      ...{ ...session, taskId: null, what, name, times: 5, since: '2026-11-20T10:00:00.000Z' },
      error: '',
    });

  test('is not told again by who did not see its events', () => {
    const failures = times(9, (n) => failed(10 + n));
    expect(loopsIn([told('request', 'claude-x'), ...failures])).toEqual([]);
    expect(loopsIn([told('request', 'other'), ...failures])).toHaveLength(1);
    const calls = times(30, (n) => tool(10 + n));
    expect(loopsIn([told('repetition', 'Bash'), ...calls])).toEqual([]);
  });
});

import fc from 'fast-check';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { Silences } from './silence.policy.js';
import {
  answered,
  attemptCompleted,
  claimed,
  event,
  failed,
  heard,
  leaseExpired,
  pace,
  prompt,
  second,
  session,
  started,
  tick,
  tool,
} from './watch.specification.js';

describe('A session', () => {
  test.each([
    ['a prompt', prompt(10)],
    ["a tool's result", tool(10)],
  ])('is silent 15 s after %s that nothing followed, and is told of once', (_, opening) => {
    const silences = heard(answered(1), opening);
    expect(tick(silences, 24.9)).toEqual([]);
    expect(tick(silences, 25)).toMatchObject([
      { session, sinceMs: second(10), silentMs: 15_000, nanoUsdPerMinute: pace },
    ]);
    expect(tick(silences, 26)).toEqual([]);
    expect(silences.silent()).toMatchObject([session]);
  });

  test.each([
    ['answered', answered(11)],
    ['given up', failed(11)],
    ['answered to a subagent', answered(11, { thread: 'subagent' })],
    [
      'ended with its turn, as its hooks tell',
      event(11, 'TurnEnded', { ...session, succeeded: true }),
    ],
    ['stopped at the gate', event(11, 'AgentStopped', { ...session, before: 'tool', reason: '' })],
    ['left by whoever closed the agent', event(11, 'SessionEnded', { ...session, reason: null })],
  ])('whose request was %s may be as quiet as it likes', (_, closing) => {
    expect(tick(heard(prompt(10), closing), 3_000)).toEqual([]);
  });

  test('that asked only its helpers since still waits for its own answer', () => {
    const silences = heard(prompt(10), answered(11, { thread: 'auxiliary' }));
    expect(tick(silences, 26)).toMatchObject([{ sinceMs: second(11) }]);
  });

  test('waits for nothing when its answer arrives before its prompt', () => {
    expect(tick(heard(answered(12), prompt(10)), 60)).toEqual([]);
  });

  test('is heard again by anything it tells, with how long it was silent', () => {
    const silences = heard(prompt(10));
    tick(silences, 25);
    expect(silences.observe(answered(40), second(40))).toMatchObject({ session, silentMs: 30_000 });
    expect(silences.silent()).toEqual([]);
    expect(silences.observe(answered(41), second(41))).toBeUndefined();
  });

  test('is not silent while nothing could have been heard', () => {
    const silences = heard(prompt(10));
    expect(tick(silences, 60, 50)).toEqual([]);
    expect(tick(silences, 65, 50)).toHaveLength(1);
  });

  test('is not silent when an old prompt arrives late', () => {
    const late = prompt(10);
    const recordedAt = new Date(second(3_700)).toISOString();
    const silences = new Silences(15_000);
    silences.observe({ ...late, metadata: { ...late.metadata, recordedAt } }, second(3_700));
    expect(tick(silences, 3_800)).toEqual([]);
  });

  test('that was asked to compact has nothing open once it has', () => {
    const compacted = event(12, 'ContextCompacted', {
      ...{ ...session, trigger: 'manual', succeeded: true },
      ...{ preTokens: null, postTokens: null, durationMs: null },
    });
    expect(tick(heard(prompt(10, { command: 'compact' }), compacted), 60)).toEqual([]);
  });
});

describe('A silence that the log tells of', () => {
  const told = (lastEventId: string) => {
    const since = '2026-11-20T10:00:10.000Z';
    const data = { ...session, taskId: null, since, silentMs: 15_000 };
    const it = event(25, 'SessionWentSilent', { ...data, estimatedNanoUsdPerMinute: pace });
    return { ...it, metadata: { ...it.metadata, causationId: lastEventId } };
  };

  test('goes on after a restart', () => {
    const opening = prompt(10);
    const silences = heard(opening, told(opening.id));
    expect(silences.estimatedNanoUsd('all', 0, second(70))).toBe(pace);
    expect(tick(silences, 70)).toEqual([]);
  });

  test('is over when the session was heard of after its last sign of life, in whichever order', () => {
    const opening = prompt(10);
    expect(heard(opening, tool(24), told(opening.id)).silent()).toEqual([]);
    expect(heard(opening, told(opening.id), tool(24)).silent()).toEqual([]);
    const over = event(26, 'SessionHeardAgain', { ...session, taskId: null, silentMs: 16_000 });
    expect(heard(opening, told(opening.id), over).silent()).toEqual([]);
  });
});

describe('The pace of a silent session', () => {
  const paceAt25 = (...events: RecordedDomainEvent[]) =>
    tick(heard(...events, prompt(10)), 25).find((it) => it.session.sessionId === 's1')
      ?.nanoUsdPerMinute;

  test('is that of its own answered requests', () => {
    const dear = answered(2, { costNanoUsd: 16_000_000, durationMs: 3_000 });
    expect(paceAt25(answered(1), dear)).toBe(240_000_000);
  });

  test('is by when a request was open where the agent does not tell how long it took', () => {
    expect(paceAt25(prompt(1), answered(3, { durationMs: null }))).toBe(pace);
  });

  test('is that of its model in the last hour where its own requests tell none', () => {
    const other = answered(1, { sessionId: 's2' });
    expect(paceAt25(other, answered(2, { costNanoUsd: null }))).toBe(pace);
    expect(paceAt25(other, answered(2, { costNanoUsd: null, model: 'x' }))).toBeNull();
    const old = heard(other);
    const silences = [answered(3_700, { costNanoUsd: null }), prompt(3_701)];
    for (const it of silences) old.observe(it, Date.parse(it.metadata.occurredAt));
    expect(tick(old, 3_720)).toMatchObject([{ nanoUsdPerMinute: null }]);
  });

  test('is unknown, and not nothing, where nobody knows it', () => {
    expect(paceAt25()).toBeNull();
  });

  test('stays a number whatever agents claim', () => {
    const absurd = answered(1, { costNanoUsd: Number.MAX_SAFE_INTEGER, durationMs: 1 });
    expect(paceAt25(absurd, absurd)).toBe(1_000_000_000_000);
  });
});

describe('What a silent session is estimated to spend', () => {
  function silentSince10(): Silences {
    const attributed = { team: 'core', project: 'p', userId: 'u', taskId: 't' };
    const silences = heard(answered(1, attributed), prompt(10));
    tick(silences, 25);
    return silences;
  }

  test('accrues from its last sign of life, by the part of the time that is asked for', () => {
    const silences = silentSince10();
    const estimate = (from: number, to: number) =>
      silences.estimatedNanoUsd('all', second(from), second(to));
    expect(estimate(0, 40)).toBe(pace / 2);
    expect(estimate(25, 40)).toBe(pace / 4);
    expect(estimate(0, 10)).toBe(0);
  });

  test.each([
    ...['all', 'team:core', 'project:p', 'user:u', 'agent:claude-code', 'model:claude-x'],
    ...['task:t', 'session:s1'],
  ])('counts under %s', (scope) => {
    expect(silentSince10().estimatedNanoUsd(scope, 0, second(70))).toBe(pace);
  });

  test.each(['team:other', 'team:', 'lane:core', 'session:s', 'toString:x', ''])(
    'does not count under %j',
    (scope) => {
      expect(silentSince10().estimatedNanoUsd(scope, 0, second(70))).toBe(0);
    },
  );

  test('grows for ten minutes, and is gone when the session has not been heard of for an hour', () => {
    const silences = silentSince10();
    expect(silences.estimatedNanoUsd('all', 0, second(3_000))).toBe(10 * pace);
    tick(silences, 3_609);
    expect(silences.silent()).toHaveLength(1);
    tick(silences, 3_610);
    expect(silences.silent()).toEqual([]);
    expect(silences.estimatedNanoUsd('all', 0, second(4_000))).toBe(0);
  });

  test('is gone once the session is heard of, which is then counted by what it says', () => {
    const silences = silentSince10();
    silences.observe(answered(40), second(40));
    expect(silences.estimatedNanoUsd('all', 0, second(41))).toBe(0);
  });
});

describe('Too many sessions to watch', () => {
  test('are not: who was not heard of for longest is forgotten, with its estimate', () => {
    const silences = heard(answered(1), prompt(2));
    tick(silences, 20);
    for (let n = 1; n < limits.sessionsWatchedMax; n += 1) {
      silences.observe(prompt(20, { sessionId: `other ${n}` }), second(20));
    }
    expect(silences.silent()).toHaveLength(1);
    silences.observe(prompt(20, { sessionId: 'one too many' }), second(20));
    expect(silences.silent()).toEqual([]);
    expect(silences.estimatedNanoUsd('all', 0, second(70))).toBe(0);
  });
});

describe('Whatever comes in whichever order', () => {
  const anything = fc
    .tuple(fc.integer({ min: 0, max: 120 }), fc.nat(7))
    .map(([at, kind]): RecordedDomainEvent =>
      [
        ...[prompt(at), tool(at), answered(at), failed(at)],
        ...[claimed(at), started(at), attemptCompleted(at), leaseExpired(at)],
      ].at(kind)!,
    );

  test('no session stays silent for ever, and each silence is told once', () => {
    const steps = fc.array(fc.tuple(anything, fc.integer({ min: 0, max: 40 })), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (all) => {
        const silences = new Silences(15_000);
        const told: string[] = [];
        let now = 120;
        const pass = (seconds: number) => {
          now += seconds;
          told.push(...tick(silences, now).map(({ lastEventId }) => lastEventId));
        };
        for (const [it, seconds] of all) {
          silences.observe(it, second(now));
          pass(seconds);
        }
        pass(15);
        pass(3_600);
        expect(silences.silent()).toEqual([]);
        expect(silences.estimatedNanoUsd('all', 0, second(now))).toBe(0);
        expect(new Set(told).size).toBe(told.length);
      }),
      { numRuns: 500 },
    );
  });

  test('what was answered last decides, not what arrived last', () => {
    const events = [prompt(1), answered(2), tool(3), answered(4)];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(events, { minLength: 4 }),
        (arrived) => tick(heardAt(arrived, 5), 60).length === 0,
      ),
    );
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...events, prompt(5)], { minLength: 5 }),
        (arrived) => tick(heardAt(arrived, 5), 60).length === 1,
      ),
    );
  });
});

function heardAt(events: readonly RecordedDomainEvent[], at: number): Silences {
  const silences = new Silences(15_000);
  for (const it of events) silences.observe(it, second(at));
  return silences;
}

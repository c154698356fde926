import { simulate } from './dispatch-simulation.js';

/** At length: `npm run check:simulation`, a thousand nights. */
const seeds = Array.from({ length: 50 }, (_, index) => index + 1);

describe('A night in which workers crash, stall, lie and race', () => {
  test.each(seeds)('keeps every promise of dispatch (seed %i)', (seed) => {
    expect(simulate(seed).faults).toEqual([]);
  });

  test('is the same again under the same seed', () => {
    expect(simulate(7).events).toEqual(simulate(7).events);
    expect(simulate(7).events).not.toEqual(simulate(8).events);
  });

  test('has everything in it that can go wrong', () => {
    const seen = new Set(
      seeds.slice(0, 12).flatMap((seed) => simulate(seed).events.map(({ type }) => type)),
    );
    for (const type of [
      'LeaseExpired',
      'ProgressDeadlineMissed',
      'LeasesRenewed',
      'StaleTokenRefused',
      'LateResultKept',
      'LateResultAdopted',
      'CoolDownStarted',
      'CoolDownEnded',
      'ScopeTripped',
      'TaskParked',
      'TaskReplayed',
      'TaskCancelled',
      'AttemptReleased',
    ] as const) {
      expect(seen).toContain(type);
    }
  });
});

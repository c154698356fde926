import { simulate, type Night } from './dispatch-simulation.js';

/** At length: `npm run check:simulation`, a thousand nights. */
const seeds = Array.from({ length: 50 }, (_, index) => index + 1);
const nights = new Map<number, Night>();

/** Lived through once, however many tests look at it. */
function nightOf(seed: number): Night {
  const night = nights.get(seed) ?? simulate(seed);
  nights.set(seed, night);
  return night;
}

describe('A night in which workers crash, stall, lie and race', () => {
  test.each(seeds)('keeps every promise of dispatch (seed %i)', (seed) => {
    expect(nightOf(seed).faults).toEqual([]);
  });

  test('is the same again under the same seed', () => {
    expect(simulate(7).events).toEqual(nightOf(7).events);
    expect(nightOf(7).events).not.toEqual(nightOf(8).events);
  });

  test('has everything in it that can go wrong', () => {
    const seen = new Set(
      seeds.slice(0, 12).flatMap((seed) => nightOf(seed).events.map(({ type }) => type)),
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
      'AttemptHaltOrdered',
      'AttemptHalted',
      'TaskPaused',
      'TaskResumed',
    ] as const) {
      expect(seen).toContain(type);
    }
  });
});

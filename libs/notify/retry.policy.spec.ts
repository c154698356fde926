import fc from 'fast-check';
import { retryTimes, waitAfter } from './retry.policy.js';

const dayMs = 24 * 60 * 60_000;

describe('What did not get through', () => {
  test('is sent again after 5 s, twice that, and so on up to an hour', () => {
    const waits = [1, 2, 3, 10, 11, 1_000].map((it) => waitAfter(it, dayMs, 1, retryTimes));
    expect(waits).toEqual([5_000, 10_000, 20_000, 2_560_000, 3_600_000, 3_600_000]);
  });

  test('waits between half of that and all of it', () => {
    expect(waitAfter(3, dayMs, 0, retryTimes)).toBe(10_000);
    expect(waitAfter(3, dayMs, 0.5, retryTimes)).toBe(15_000);
  });

  test('is sent a last time when its 24 hours are over, and then no more', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }),
        (chances) => {
          let leftMs = retryTimes.forMs;
          for (let attempts = 1; attempts < 1_000; attempts += 1) {
            const chance = chances[attempts % chances.length] ?? 0;
            const waitMs = waitAfter(attempts, leftMs, chance, retryTimes);
            if (waitMs === null) {
              expect(leftMs).toBe(0);
              expect(attempts).toBeGreaterThan(24);
              return;
            }
            leftMs -= waitMs;
            expect(leftMs).toBeGreaterThanOrEqual(0);
          }
          throw new Error('It is sent for ever.');
        },
      ),
    );
  });

  test('is not sent again when its time was over before', () => {
    expect(waitAfter(1, -1, 0, retryTimes)).toBeNull();
  });
});

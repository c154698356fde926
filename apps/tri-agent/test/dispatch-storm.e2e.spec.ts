import { limits } from '#kernel/limits.js';
import { survivesStorm } from './dispatch-storm.js';

const deadlineMs = 150_000;

describe('A provider that refuses for three seconds', () => {
  test.each([
    [429, 'rate-limit'],
    [529, 'overload'],
  ])(
    'with %d and Retry-After is left alone, then woken up one by one',
    async (statusCode, cause) => {
      const report = await survivesStorm({
        statusCode,
        hasRetryAfter: true,
        stormMs: 3_000,
        afterwardsMs: 1_000,
        callsAfterwards: 3,
      });
      expect(report.tooEarly).toBe(0);
      expect(report.refused).toBeGreaterThan(0);
      expect(report.failures).toBe(report.refused);
      expect(report.underWay).toBeGreaterThanOrEqual(report.refused);
      expect(report.parked).toBe(0);
      expect(new Set(report.causes)).toEqual(new Set([cause]));
      expect(report.shown).toMatchObject([{ provider: 'anthropic', state: 'closed' }]);
      expect(report.firstAfterMs).toBeGreaterThanOrEqual(0);
      expect(report.perSecond.wakingUp).toBeLessThanOrEqual(2);
      expect(report.perSecond.before).toBeGreaterThan(report.perSecond.wakingUp);
    },
    deadlineMs,
  );

  test(
    'with 500 and no hint trips the breaker: nobody calls for a minute',
    async () => {
      const report = await survivesStorm({
        statusCode: 500,
        hasRetryAfter: false,
        stormMs: 60_000,
        afterwardsMs: 5_000 - limits.breakerOpenMs,
        callsAfterwards: 0,
      });
      expect(report).toMatchObject({ tooEarly: 0, firstAfterMs: null });
      expect(new Set(report.causes)).toEqual(new Set(['breaker']));
      expect(report.failures).toBeGreaterThanOrEqual(limits.breakerFailuresMax);
      expect(report.underWay).toBeGreaterThanOrEqual(report.failures);
      expect(report.shown).toMatchObject([{ provider: 'anthropic', state: 'closed' }]);
    },
    deadlineMs,
  );
});

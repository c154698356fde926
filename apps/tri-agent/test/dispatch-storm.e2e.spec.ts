import { limits } from '#kernel/limits.js';
import { survivesStorm } from './dispatch-storm.js';

const jitterMsMax = limits.coolDownFirstMs;
/** A look at the clock costs the workers as much. */
const slackMs = 3 * limits.dispatchTickMs;

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
        afterwardsMs: 6_000,
      });
      expect(report.tooEarly).toBe(0);
      expect(report.refused).toBeGreaterThan(0);
      expect(report.failures).toBe(report.refused);
      expect(report.underWay).toBeGreaterThanOrEqual(report.refused);
      expect(report.parked).toBe(0);
      expect(new Set(report.causes)).toEqual(new Set([cause]));
      expect(report.shown).toMatchObject([{ provider: 'anthropic', state: 'closed' }]);
      expect(report.firstAfterMs).toBeLessThan(jitterMsMax + slackMs);
      expect(report.gapsMs.length).toBeGreaterThan(0);
      expect(report.perSecond.wakingUp).toBeLessThanOrEqual(2);
      expect(report.perSecond.before).toBeGreaterThan(report.perSecond.wakingUp);
    },
  );

  test('with 500 and no hint trips the breaker: nobody calls for a minute', async () => {
    const report = await survivesStorm({
      statusCode: 500,
      hasRetryAfter: false,
      stormMs: 60_000,
      afterwardsMs: 5_000 - limits.breakerOpenMs,
    });
    expect(report).toMatchObject({ tooEarly: 0, firstAfterMs: null });
    expect(new Set(report.causes)).toEqual(new Set(['breaker']));
    expect(report.failures).toBeGreaterThanOrEqual(limits.breakerFailuresMax);
    expect(report.underWay).toBeGreaterThanOrEqual(report.failures);
    expect(report.shown).toMatchObject([{ provider: 'anthropic', state: 'closed' }]);
  });
});

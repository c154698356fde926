import { limits } from '#kernel/limits.js';
import { LookBack } from './look-back.policy.js';

const hour = limits.sessionForgottenMs;

describe('Where the next start begins to read', () => {
  test('is where this one began, until an hour of its own has passed', () => {
    const back = new LookBack(7n);
    expect(back.from(0)).toBe(7n);
    for (let minute = 0; minute < 60; minute += 1)
      back.passed(BigInt(10 + minute), minute * 60_000);
    expect(back.from(hour - 1)).toBe(7n);
  });

  test('then goes on with time, never leaving out a part of the last hour', () => {
    const back = new LookBack(7n);
    for (let minute = 0; minute < 180; minute += 1)
      back.passed(BigInt(10 + minute), minute * 60_000);
    expect(back.from(180 * 60_000)).toBe(130n);
    expect(back.from(180 * 60_000)).toBe(130n);
  });

  test('is nearer where the last hour holds more events than a start can read', () => {
    const back = new LookBack(0n);
    const count = limits.watchReplayedEventsMax + 1_000;
    for (let n = 1; n <= count; n += 1) back.passed(BigInt(n), n * 10);
    const from = back.from(count * 10);
    expect(from).toBeGreaterThanOrEqual(1_000n);
    expect(from).toBeLessThan(20_000n);
  });
});

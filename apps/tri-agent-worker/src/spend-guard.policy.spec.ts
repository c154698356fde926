import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import type { PublishedPrices } from '#kernel/price-shapes.js';
import { SpendGuard, type Allowance } from './spend-guard.policy.js';

const today = '2026-11-20T10:00:00.000Z';
const dollar = 1_000_000_000;
const beatEveryMs = 10_000;
const cutOffMs = limits.beatsMissedMax * beatEveryMs;
const leaseMs = limits.beatsPerLease * beatEveryMs;
const unlimited: Allowance = { remainingNanoUsd: null, nanoUsdPerMinute: null };

/** A model of which a million tokens of input cost a dollar. */
const prices: readonly PublishedPrices[] = [
  {
    ...{ priceVersion: 'v', order: 1, origin: 'operator' },
    prices: [
      {
        ...{ provider: 'anthropic', model: 'm', tier: 'standard', promptTokensAbove: 0 },
        ...{ validFrom: '2026-01-01T00:00:00.000Z', validUntil: null },
        nanoUsdPerMillionTokens: {
          ...{ input: dollar, output: 2 * dollar, cacheRead: 0 },
          ...{ cacheCreation: null, cacheCreation1h: null },
        },
      },
    ],
  },
];

/** Claimed at 0. */
function guardWith(allowance: Partial<Allowance> | null): SpendGuard {
  const told = allowance && { ...unlimited, ...allowance };
  const parts = { agent: 'claude-code', provider: 'anthropic', prices, beatEveryMs };
  return new SpendGuard({ ...parts, allowance: told }, 0);
}

function spend(guard: SpendGuard, dollars: number, atMs: number, model = 'm'): void {
  const none = { outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0 };
  const inputTokens = Math.round(dollars * 1_000_000);
  const usage = { model, tier: null, inputTokens, ...none, cacheCreation1hTokens: null };
  guard.used(usage, atMs, today);
}

describe('An agent whose server answers', () => {
  test('goes on, whatever it spends: the server decides', () => {
    const guard = guardWith({ remainingNanoUsd: dollar, nanoUsdPerMinute: dollar });
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 50 }), (amounts) => {
        amounts.forEach((amount, beat) => {
          spend(guard, amount, beat * beatEveryMs + 5);
          guard.heard(beat * beatEveryMs, null);
          expect(guard.cutOff(beat * beatEveryMs + cutOffMs - 1)).toBeUndefined();
        });
      }),
    );
  });
});

describe('An agent whose server is not heard of for two beats', () => {
  test('goes on while its budgets leave something, and ends with the request that reaches it', () => {
    const guard = guardWith({ remainingNanoUsd: dollar });
    spend(guard, 0.99, 5_000);
    expect(guard.cutOff(cutOffMs)).toBeUndefined();
    spend(guard, 0.01, cutOffMs);
    expect(guard.cutOff(cutOffMs)).toEqual({
      reason:
        'The server was not heard of for 20 s, and it spent an estimated $1.00 of the $1.00 that its budgets had left.',
      goesOn: false,
    });
  });

  test('ends only then, although it spent all before', () => {
    const guard = guardWith({ remainingNanoUsd: dollar });
    spend(guard, 5, 5_000);
    expect(guard.cutOff(cutOffMs - 1)).toBeUndefined();
    expect(guard.cutOff(cutOffMs)).toMatchObject({ goesOn: false });
  });

  test('is held to what was left when the server answered last', () => {
    const guard = guardWith({ remainingNanoUsd: 9 * dollar });
    spend(guard, 2, 5_000);
    guard.heard(10_000, { ...unlimited, remainingNanoUsd: 3 * dollar });
    spend(guard, 2.5, 15_000);
    expect(guard.cutOff(10_000 + cutOffMs)).toBeUndefined();
    spend(guard, 0.5, 10_000 + cutOffMs);
    expect(guard.cutOff(10_000 + cutOffMs)).toMatchObject({ goesOn: false });
  });

  test('is held to what the server cannot have known when it answered, too', () => {
    const guard = guardWith({ remainingNanoUsd: dollar });
    spend(guard, 1, 9_500);
    guard.heard(10_000, null);
    expect(guard.cutOff(10_000 + cutOffMs)).toMatchObject({ goesOn: false });
  });

  test('is held to the last allowance while the server does not know a newer one', () => {
    const guard = guardWith({ remainingNanoUsd: dollar });
    guard.heard(10_000, null);
    spend(guard, 1, 20_000);
    expect(guard.cutOff(10_000 + cutOffMs)).toMatchObject({ goesOn: false });
  });

  test('is held to the pace of any 60 s, also where they began before', () => {
    const guard = guardWith({ nanoUsdPerMinute: dollar });
    spend(guard, 0.6, 1_000);
    guard.heard(40_000, null);
    spend(guard, 0.3, 55_000);
    expect(guard.cutOff(60_000)).toBeUndefined();
    spend(guard, 0.1, 60_000);
    expect(guard.cutOff(60_000)?.reason).toBe(
      'The server was not heard of for 20 s, and it spent an estimated $1.00 in 60 s, of which its budgets allow $1.00.',
    );
    const slower = guardWith({ nanoUsdPerMinute: dollar });
    spend(slower, 0.9, 1_000);
    slower.heard(45_000, null);
    spend(slower, 0.1, 65_000);
    expect(slower.cutOff(65_000)).toBeUndefined();
  });

  test('that spends nothing, or what nobody can price, or without a limit, is not held to money', () => {
    const idle = guardWith({ remainingNanoUsd: 0, nanoUsdPerMinute: 0 });
    const unpriced = guardWith({ remainingNanoUsd: 1, nanoUsdPerMinute: 1 });
    spend(unpriced, 100, 5_000, 'a model without a price');
    const free = guardWith({});
    const unknown = guardWith(null);
    for (const guard of [free, unknown]) spend(guard, 100, 5_000);
    for (const guard of [idle, unpriced, free, unknown]) {
      expect(guard.cutOff(leaseMs - 1)).toBeUndefined();
    }
  });
});

describe('An agent whose server is not heard of for as long as its lease', () => {
  test('ends, because others may have its task, and goes on by itself if they have not', () => {
    const guard = guardWith(null);
    expect(guard.cutOff(leaseMs - 1)).toBeUndefined();
    expect(guard.cutOff(leaseMs)).toEqual({
      reason:
        'The server was not heard of for 30 s, as long as its lease, so that its task may be with another worker by now.',
      goesOn: true,
    });
  });

  test('counts from when it told the server what was answered, not from the answer', () => {
    const guard = guardWith(null);
    guard.heard(10_000, null);
    guard.heard(4_000, null);
    expect(guard.cutOff(10_000 + leaseMs - 1)).toBeUndefined();
    expect(guard.cutOff(10_000 + leaseMs)).toMatchObject({ goesOn: true });
  });

  test('goes on by no means by itself where it reached a limit', () => {
    const guard = guardWith({ remainingNanoUsd: dollar });
    spend(guard, 1, leaseMs);
    expect(guard.cutOff(leaseMs)).toMatchObject({ goesOn: false });
  });
});

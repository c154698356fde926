import fc from 'fast-check';
import { limits } from '#kernel/limits.js';
import { overlap, readEntries } from './price-entries.decode.js';
import { entry, from } from './price-entry.specification.js';

const read = (...entries: unknown[]) => readEntries(entries);
const reasonOf = (one: unknown) => read(one).refused[0]?.reason;

describe('An entry', () => {
  test('is a price for ever, for every prompt, of the standard tier, unless it says otherwise', () => {
    expect(read(entry())).toEqual({
      prices: [
        {
          provider: 'anthropic',
          model: 'm',
          tier: 'standard',
          promptTokensAbove: 0,
          validFrom: '1970-01-01T00:00:00.000Z',
          validUntil: null,
          nanoUsdPerMillionTokens: {
            input: 3_000_000_000,
            output: 15_000_000_000,
            cacheRead: null,
            cacheCreation: null,
            cacheCreation1h: null,
          },
        },
      ],
      refused: [],
      warnings: [],
    });
  });

  test('has its times in UTC, all written alike', () => {
    const times = { validFrom: '2026-06-01T02:00:00+02:00', validUntil: '2026-07-01T00:00:00.0Z' };
    expect(read(entry(times)).prices[0]).toMatchObject({
      validFrom: '2026-06-01T00:00:00.000Z',
      validUntil: '2026-07-01T00:00:00.000Z',
    });
  });

  const usd = (rates: object) =>
    entry({ usdPerMillionTokens: { input: '1', output: '1', ...rates } });
  test.each<[unknown, RegExp]>([
    [entry({ model: undefined }), /^model is missing$/],
    [entry({ model: '' }), /^model must not be empty$/],
    [entry({ model: 'm'.repeat(201) }), /^model must have at most 200 characters$/],
    [entry({ model: 'a*b' }), /^model may have a \* only at its end$/],
    [entry({ model: 'a b' }), /^model must not have spaces/],
    [entry({ model: '\u001b[31m' }), /^model must not have .*control characters$/],
    [entry({ provider: 7 }), /^provider must be text$/],
    [entry({ validFrom: 'yesterday' }), /^validFrom must be a time such as/],
    [entry({ validFrom: '2026-02-30T00:00:00Z' }), /^validFrom must be a time such as/],
    [entry(from('2026-06-01', '2026-06-01')), /^validUntil must be later than validFrom$/],
    [entry({ promptTokensAbove: -1 }), /^promptTokensAbove must not be negative$/],
    [entry({ promptTokensAbove: 0.5 }), /^promptTokensAbove must be a whole number$/],
    [entry({ promptTokensAbove: 1e10 }), /^promptTokensAbove must be at most/],
    [entry({ usdPerMillionTokens: {} }), /^usdPerMillionTokens.input is missing$/],
    [entry({ usdPerMillionTokens: undefined }), /^usdPerMillionTokens is missing$/],
    [usd({ output: null }), /^usdPerMillionTokens.output must be a decimal text/],
    [usd({ output: 15 }), /^usdPerMillionTokens.output must be a decimal text such as "3.75"$/],
    [usd({ input: '-3' }), /^usdPerMillionTokens.input must be US dollars from 0 to 100000/],
    [usd({ input: '100000.000000001' }), /must be US dollars from 0 to 100000/],
    [usd({ input: '0.0000000001' }), /at most nine digits after the point$/],
    [usd({ input: '3,75' }), /must be US dollars/],
    [usd({ cached: '1' }), /usdPerMillionTokens Unrecognized key: "cached"$/],
    [entry({ inptu: '1' }), /Unrecognized key: "inptu"$/],
    [null, /expected object/],
    ['text', /expected object/],
    [[], /expected object/],
  ])('%j is refused, with what is wrong', (one, reason) => {
    expect(reasonOf(one)).toMatch(reason);
  });

  test('that is wrong keeps no other out', () => {
    const { prices, refused } = read(
      null,
      entry(),
      entry({ model: 'n', tier: 1 }),
      entry({ model: 'o' }),
    );
    expect(prices.map(({ model }) => model)).toEqual(['m', 'o']);
    expect(refused.map(({ index }) => index)).toEqual([0, 2]);
  });

  test('may be anything: reading never throws', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.anything(),
            fc.constant(entry()).map((it) => ({ ...it })),
          ),
        ),
        (all) => {
          const { prices, refused } = readEntries(all);
          expect(prices.length + refused.length).toBe(all.length);
        },
      ),
    );
  });
});

describe('Entries of one model, tier and prompt size', () => {
  test('that overlap are refused, all of them, each with the others', () => {
    const { prices, refused } = read(
      entry(from('2026-01-01', '2026-03-01')),
      entry({ model: 'other' }),
      entry(from('2026-02-01', '2026-04-01')),
      entry(from('2026-04-01')),
    );
    expect(prices.map(({ model, validFrom }) => [model, validFrom.slice(0, 7)])).toEqual([
      ['other', '1970-01'],
      ['m', '2026-04'],
    ]);
    expect(refused).toEqual([
      { index: 0, reason: expect.stringContaining('overlaps') as string, overlaps: [2] },
      { index: 2, reason: expect.stringContaining('overlaps') as string, overlaps: [0] },
    ]);
  });

  test('that are the same twice overlap, too', () => {
    expect(read(entry(), entry(), entry()).refused.map(({ overlaps }) => overlaps)).toEqual([
      [1, 2],
      [0, 2],
      [0, 1],
    ]);
  });

  test.each([
    [{ provider: 'openai' }],
    [{ model: 'm*' }],
    [{ tier: 'fast' }],
    [{ promptTokensAbove: 200_000 }],
  ])('do not overlap those with %j', (other) => {
    expect(read(entry(), entry(other)).refused).toEqual([]);
  });

  test('with a gap between them go in, and the gap is told', () => {
    const { prices, warnings } = read(
      entry(from('2026-05-01')),
      entry(from('2026-01-01', '2026-04-01')),
    );
    expect(prices).toHaveLength(2);
    expect(warnings).toEqual([
      'm has no price from 2026-04-01T00:00:00.000Z to 2026-05-01T00:00:00.000Z.',
    ]);
  });

  test('without a gap are told nothing', () => {
    const { warnings } = read(entry(from('2026-01-01', '2026-04-01')), entry(from('2026-04-01')));
    expect(warnings).toEqual([]);
  });

  test('never overlap once they are in, whatever the periods', () => {
    const day = fc.integer({ min: 0, max: 40 }).map((it) => Date.UTC(2026, 0, 1 + it));
    const period = fc.tuple(day, fc.option(day)).map(([start, end]) =>
      entry({
        validFrom: new Date(start).toISOString(),
        validUntil: end === null ? null : new Date(end).toISOString(),
      }),
    );
    fc.assert(
      fc.property(fc.array(period, { maxLength: 12 }), (periods) => {
        const { prices, refused } = readEntries(periods);
        for (const [index, one] of prices.entries()) {
          for (const other of prices.slice(index + 1)) expect(overlap(one, other)).toBe(false);
        }
        expect(prices.length + refused.length).toBe(periods.length);
      }),
    );
  });
});

test('As many as a publication may hold are read at once, even if all of them overlap', () => {
  const all = Array.from({ length: limits.pricesPerPublicationMax }, () => entry());
  expect(readEntries(all).refused).toHaveLength(all.length);
});

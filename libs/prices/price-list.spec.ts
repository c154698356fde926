import fc from 'fast-check';
import { PriceBook } from '#kernel/prices.js';
import { listPrices } from './price-list.js';
import { entry } from './price-entry.specification.js';
import { pricesDecider, type Publications } from './prices.decider.js';

const day = fc.integer({ min: 0, max: 6 }).map((it) => new Date(Date.UTC(2026, 0, 1 + it)));
const above = fc.constantFrom(0, 100, 200);
const price = fc.record({ from: day, until: fc.option(day), above });
const publication = fc.record({
  origin: fc.constantFrom('shipped' as const, 'operator' as const),
  prices: fc.array(price, { minLength: 1, maxLength: 3 }),
});

/** Each price has an input rate of its own, by which a cost tells where it is from. */
function published(all: readonly (typeof publication extends fc.Arbitrary<infer T> ? T : never)[]) {
  let rate = 0;
  return all.reduce<Publications>((state, { origin, prices }, index) => {
    const entries = prices.map((it) =>
      entry({
        validFrom: it.from.toISOString(),
        validUntil: it.until?.toISOString() ?? null,
        promptTokensAbove: it.above,
        usdPerMillionTokens: { input: String((rate += 1)), output: '0' },
      }),
    );
    const priceVersion = `${origin}-${String(index).padStart(3, '0')}`;
    return pricesDecider
      .decide({ priceVersion, origin, source: '', entries }, state)
      .reduce((so, event) => pricesDecider.evolve(so, event), state);
  }, pricesDecider.initial);
}

test('The price that the book takes for a request is never one that the list calls superseded', () => {
  const all = { all: true, limit: 500 };
  fc.assert(
    fc.property(
      fc.array(publication, { maxLength: 5 }),
      day,
      fc.integer({ min: 1, max: 300 }),
      (given, at, tokens) => {
        const publications = published(given);
        const cost = new PriceBook(publications).costOf({
          agent: 'claude-code',
          provider: 'anthropic',
          model: 'm',
          tier: null,
          inputTokens: tokens,
          outputTokens: 0,
          cacheReadTokens: 0,
          cacheCreationTokens: 0,
          cacheCreation1hTokens: null,
          occurredAt: at.toISOString(),
        });
        const { items } = listPrices(publications, all);
        const counting = items.filter(({ superseded }) => !superseded);
        expect(listPrices(publications, { ...all, all: false }).items).toEqual(counting);
        if (cost === undefined) return;
        const rates = counting.map((it) => Number(it.usdPerMillionTokens.input));
        expect(rates).toContain(cost.nanoUsd / 1_000 / tokens);
      },
    ),
    { numRuns: 500 },
  );
});

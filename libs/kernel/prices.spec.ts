import fc from 'fast-check';
import type { Price, PublishedPrices, TokenKind, UsageToPrice } from './price-shapes.js';
import { PriceBook } from './prices.js';

const rates: Readonly<Record<TokenKind, number | null>> = {
  input: 3e9,
  output: 15e9,
  cacheRead: 3e8,
  cacheCreation: 3.75e9,
  cacheCreation1h: 6e9,
};
const price = (given: Partial<Price> = {}): Price => ({
  provider: 'anthropic',
  model: 'm',
  tier: 'standard',
  promptTokensAbove: 0,
  validFrom: '2026-01-01T00:00:00.000Z',
  validUntil: null,
  nanoUsdPerMillionTokens: rates,
  ...given,
});
/** A price of which a million tokens cost that many nano-dollars, so that answers tell which it was. */
const of = (nanoUsd: number, given: Partial<Price> = {}): Price =>
  price({ ...given, nanoUsdPerMillionTokens: { ...rates, input: nanoUsd } });

/** Publications in the order in which they came. */
function bookOf(...published: (readonly ['shipped' | 'operator', ...Price[]])[]): PriceBook {
  const publications = published.map(([origin, ...prices], index): PublishedPrices => {
    const order = index + 1;
    return { priceVersion: `${origin}-${order}`, order, origin, prices };
  });
  return new PriceBook(publications);
}

const usage = (given: Partial<UsageToPrice> = {}): UsageToPrice => ({
  agent: 'claude-code',
  provider: 'anthropic',
  model: 'm',
  tier: null,
  inputTokens: 1_000_000,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheCreationTokens: 0,
  cacheCreation1hTokens: null,
  occurredAt: '2026-06-01T12:00:00.000Z',
  ...given,
});
const costOf = (book: PriceBook, given: Partial<UsageToPrice> = {}): number | undefined =>
  book.costOf(usage(given))?.nanoUsd;

describe('The cost of a request', () => {
  test('is the sum of its kinds of tokens, each at its own price', () => {
    const used = {
      inputTokens: 1,
      outputTokens: 10,
      cacheReadTokens: 100,
      cacheCreationTokens: 1_000,
      cacheCreation1hTokens: 400,
    };
    const expected = 3_000 + 10 * 15_000 + 100 * 300 + 600 * 3_750 + 400 * 6_000;
    expect(bookOf(['shipped', price()]).costOf(usage(used))).toEqual({
      nanoUsd: expected,
      priceVersion: 'shipped-1',
    });
  });

  test.each([
    [1, 499_999, 0],
    [1, 500_000, 0],
    [1, 500_001, 1],
    [3, 500_000, 2],
    [5, 500_000, 2],
    [1, 1_500_000, 2],
  ])('%d tokens at %d nano-dollars a million are rounded half to even: %d', (tokens, at, cost) => {
    expect(costOf(bookOf(['shipped', of(at)]), { inputTokens: tokens })).toBe(cost);
  });

  test('is rounded once, not kind by kind', () => {
    const half = { ...rates, input: 500_000, output: 500_000 };
    const book = bookOf(['shipped', price({ nanoUsdPerMillionTokens: half })]);
    expect(costOf(book, { inputTokens: 1, outputTokens: 1 })).toBe(1);
  });

  test('equals the exact fraction, rounded half to even, whatever the figures', () => {
    const count = fc.integer({ min: 0, max: 5_000_000 });
    const rate = fc.integer({ min: 0, max: 100_000_000_000 });
    fc.assert(
      fc.property(
        fc.tuple(count, count, count, count, count),
        fc.tuple(rate, rate, rate, rate, rate),
        (n, r) => {
          const [input, output, cacheRead, cacheCreation, cacheCreation1h] = r;
          const figures = { input, output, cacheRead, cacheCreation, cacheCreation1h };
          const book = bookOf(['shipped', price({ nanoUsdPerMillionTokens: figures })]);
          const cost = costOf(book, {
            inputTokens: n[0],
            outputTokens: n[1],
            cacheReadTokens: n[2],
            cacheCreationTokens: n[3] + n[4],
            cacheCreation1hTokens: n[4],
          });
          const millionths = n.reduce(
            (sum, tokens, kind) => sum + BigInt(tokens) * BigInt(r[kind]!),
            0n,
          );
          // |cost - exact| <= 1/2, and on the half the even neighbour.
          const twiceOff = 2n * (BigInt(cost!) * 1_000_000n - millionths);
          const off = twiceOff < 0n ? -twiceOff : twiceOff;
          expect(off <= 1_000_000n && (off < 1_000_000n || cost! % 2 === 0)).toBe(true);
        },
      ),
    );
  });

  test('is never of tokens that were not told as kept for an hour', () => {
    const book = bookOf(['shipped', price()]);
    const used = { inputTokens: 0, cacheCreationTokens: 10 };
    expect(costOf(book, { ...used, cacheCreation1hTokens: null })).toBe(37_500);
    expect(costOf(book, { ...used, cacheCreation1hTokens: 10 })).toBe(60_000);
    expect(costOf(book, { ...used, cacheCreation1hTokens: 99 })).toBe(60_000);
  });
});

describe('A request has no cost, not even 0, when', () => {
  const book = bookOf([
    'shipped',
    price({ nanoUsdPerMillionTokens: { ...rates, cacheRead: null } }),
  ]);

  test.each<[string, Partial<UsageToPrice>]>([
    ['its model is unknown', { model: 'n' }],
    ['its tier is not in the book', { tier: 'fast' }],
    ['it used a kind of token without a price', { cacheReadTokens: 1 }],
    ['it came before the first price', { occurredAt: '2025-12-31T23:59:59.999Z' }],
    ['its time is none', { occurredAt: 'yesterday' }],
    ['its tokens are no count', { outputTokens: 0.5 }],
    ['its tokens are negative', { outputTokens: -1 }],
    ['it costs more than a number holds', { outputTokens: Number.MAX_SAFE_INTEGER }],
  ])('%s', (_, given) => {
    expect(book.costOf(usage(given))).toBeUndefined();
  });

  test('but has one when it used none of the tokens without a price', () => {
    expect(costOf(book)).toBe(3e9);
  });

  test('and 0 is the cost of no tokens, where the price is known', () => {
    expect(costOf(book, { inputTokens: 0 })).toBe(0);
  });
});

describe('A name in the book', () => {
  test.each([
    ['claude-sonnet-4-5', 'claude-sonnet-4-5', true],
    ['claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', true],
    ['gpt-5', 'gpt-5-2025-08-07', true],
    ['claude-sonnet-4-5', 'claude-sonnet-4-5@20250929', true],
    ['claude-sonnet-4-5', 'anthropic/claude-sonnet-4-5', true],
    ['claude-sonnet-4-5', 'models/claude-sonnet-4-5-20250929', true],
    ['claude-sonnet-4-5', 'claude-sonnet-4-5[1m]', true],
    ['claude-sonnet-4-5*', 'claude-sonnet-4-5-preview', true],
    ['claude-sonnet-4-5*', 'anthropic/claude-sonnet-4-5-preview', true],
    ['*', 'anything', true],
    ['claude-opus-5', 'claude-opus-5-5', false],
    ['claude-opus-5', 'claude-opus-5-5-20260901', false],
    ['gpt-5', 'gpt-5.6-sol', false],
    ['gpt-5', 'gpt-5-mini', false],
    ['gpt-5', 'gpt-5-2025', false],
    ['claude-sonnet-4-5', 'openai/claude-sonnet-4-5', false],
    ['claude-sonnet-4-5', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', false],
    ['claude-sonnet-4-5', 'Claude-Sonnet-4-5', false],
    ['claude-*-4-5', 'claude-opus-4-5', false],
    ['', 'claude', false],
  ])('%j is a price of %j: %j', (name, model, isKnown) => {
    const cost = costOf(bookOf(['shipped', price({ model: name })]), { model });
    expect(cost).toBe(isKnown ? 3e9 : undefined);
  });

  test.each([
    [['m-2*', 'm-20260101', 'm', 'm*'], 'm-20260101'],
    [['m*', 'm', '*'], 'm'],
    [['*', 'm-2*', 'm*'], 'm-2*'],
    [['anthropic/m-20260101', 'm-20260101'], 'm-20260101'],
  ])('of %j the closest one counts', (names, closest) => {
    const prices = names.map((model, index) => of(index + 1, { model }));
    const cost = costOf(bookOf(['shipped', ...prices]), { model: 'm-20260101' });
    expect(names[cost! - 1]).toBe(closest);
  });

  test.each([
    '__proto__',
    'constructor',
    '*',
    '[1m]',
    'models/',
    'anthropic/',
    '\u0000',
    'm'.repeat(100_000),
  ])('is not that of a model called %.20j', (model) => {
    expect(costOf(bookOf(['shipped', price()]), { model })).toBeUndefined();
    expect(costOf(bookOf(['shipped', price()]), { provider: model })).toBe(3e9);
    expect(costOf(bookOf(['shipped', price()]), { provider: model, agent: model })).toBeUndefined();
  });

  test('is found after thousands of others were asked for', () => {
    const book = bookOf(['shipped', price()]);
    for (let count = 0; count < 2_500; count += 1) costOf(book, { model: `hostile-${count}` });
    expect(costOf(book)).toBe(3e9);
  });
});

describe('Of several prices', () => {
  const from = (validFrom: string, validUntil: string | null = null) => ({ validFrom, validUntil });
  const june = '2026-06-01T00:00:00.000Z';

  test("the operator's counts before a shipped one, however close its name and late its publication", () => {
    const book = bookOf(['operator', of(1, { model: '*' })], ['shipped', of(2)]);
    expect(book.costOf(usage())).toEqual({ nanoUsd: 1, priceVersion: 'operator-1' });
  });

  test('a shipped one counts where the operator has none', () => {
    const book = bookOf(['shipped', of(2)], ['operator', of(1, from('2027-01-01T00:00:00.000Z'))]);
    expect(costOf(book)).toBe(2);
  });

  test('the one published last counts, wherever it is one of the request', () => {
    const twice = bookOf(['operator', of(1)], ['operator', of(2)]);
    expect(costOf(twice)).toBe(2);
    const earlierStart = bookOf(['operator', of(1, from(june))], ['operator', of(2)]);
    expect(costOf(earlierStart)).toBe(2);
    const period = from('2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z');
    expect(costOf(bookOf(['operator', of(1)], ['operator', of(2, period)]))).toBe(1);
  });

  test.each([
    ['2026-05-31T23:59:59.999Z', 1],
    ['2026-06-01T00:00:00.000Z', 2],
    ['2026-06-01T00:00:00Z', 2],
    ['2026-06-30T23:59:59.999Z', 2],
    ['2026-07-01T00:00:00.000Z', undefined],
  ])('the one that was valid at %s counts', (occurredAt, cost) => {
    const first = of(1, from('2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z'));
    const second = of(2, from(june, '2026-07-01T00:00:00.000Z'));
    expect(costOf(bookOf(['shipped', second, first]), { occurredAt })).toBe(cost);
  });

  test('one without an end gives way to one that starts later', () => {
    const book = bookOf(['shipped', of(2, from(june)), of(1)]);
    expect(costOf(book)).toBe(2);
    expect(costOf(book, { occurredAt: '2026-05-01T00:00:00.000Z' })).toBe(1);
  });

  test.each([
    [200_000, 0, 0, 3_000],
    [200_001, 0, 0, 6_000],
    [1, 200_000, 0, 6_000],
    [1, 0, 200_000, 6_000],
    [0, 0, 0, 3_000],
  ])(
    'the size of the prompt, with cached tokens, decides: %d + %d + %d',
    (input, read, creation, rate) => {
      const free = { ...rates, input: 0, cacheRead: 0, cacheCreation: 0 };
      const book = bookOf([
        'shipped',
        price({ nanoUsdPerMillionTokens: { ...free, output: 3_000 } }),
        price({ promptTokensAbove: 200_000, nanoUsdPerMillionTokens: { ...free, output: 6_000 } }),
      ]);
      const used = { inputTokens: input, cacheReadTokens: read, cacheCreationTokens: creation };
      expect(costOf(book, { ...used, outputTokens: 1_000_000 })).toBe(rate);
    },
  );

  test('each tier has its own, and no word for it is the standard one', () => {
    const book = bookOf(['shipped', of(1), of(6, { tier: 'fast' })]);
    expect(['fast', 'standard', null, 'batch'].map((tier) => costOf(book, { tier }))).toEqual([
      6,
      1,
      1,
      undefined,
    ]);
  });

  test("a gateway's own counts, and the vendor's where it has none for the model", () => {
    const book = bookOf(
      ['shipped', of(1), of(3, { model: 'other' })],
      ['operator', of(2, { provider: 'bedrock' })],
    );
    expect(costOf(book, { provider: 'bedrock' })).toBe(2);
    expect(costOf(book, { provider: 'vertex' })).toBe(1);
    expect(costOf(book, { provider: 'bedrock', model: 'other' })).toBe(3);
  });
});

test('An empty book knows no cost', () => {
  expect(new PriceBook().costOf(usage())).toBeUndefined();
});

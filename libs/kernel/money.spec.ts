import fc from 'fast-check';
import { formatUsd, nanoUsdFromDecimal, usdText } from './money.js';

describe('A decimal number of dollars', () => {
  test.each([
    ['3', 3_000_000_000],
    ['3.75', 3_750_000_000],
    ['0.000000001', 1],
    ['9007199.254740991', Number.MAX_SAFE_INTEGER],
    ['9007199.254740992', undefined],
    ['0.0000000001', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['1,5', undefined],
    ['.5', undefined],
    ['5.', undefined],
    [' 5', undefined],
    ['', undefined],
    ['99999999999', undefined],
  ])('%j is %p nano-dollars', (decimal, nanoUsd) => {
    expect(nanoUsdFromDecimal(decimal)).toBe(nanoUsd);
  });

  test('is read as exactly as it is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (nanoUsd) => {
        expect(nanoUsdFromDecimal(formatUsd(BigInt(nanoUsd)))).toBe(nanoUsd);
      }),
    );
  });
});

test.each([
  [0, '$0.00'],
  [1_500_000_000, '$1.50'],
  [37_258_500, '$0.0372585'],
  [1, '$0.000000001'],
  [100_000_000_000, '$100.00'],
])('%d nano-dollars are told as %s', (nanoUsd, told) => {
  expect(usdText(nanoUsd)).toBe(told);
});

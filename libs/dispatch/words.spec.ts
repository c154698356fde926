import { because, durationText, someOf } from './words.js';

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [3_210, '3.2 s'],
  [59_999, '59.9 s'],
  [60_000, '1 min'],
  [310_900, '5 min 10 s'],
  [3_599_999, '59 min 59 s'],
  [7_500_000, '2 h 5 min'],
])('%d ms are told as %s', (ms, told) => {
  expect(durationText(ms)).toBe(told);
});

test('A reason ends its sentence once, and may be none', () => {
  expect(because('Cancelled', 'not needed')).toBe('Cancelled: not needed.');
  expect(because('Cancelled', 'not needed.')).toBe('Cancelled: not needed.');
  expect(because('Cancelled', ' ')).toBe('Cancelled.');
});

test('Of many names some are told, and how many more there are', () => {
  expect(someOf(['a', 'b'], 2)).toBe('a, b');
  expect(someOf(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
});

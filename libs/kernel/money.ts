/**
 * Money is a whole number of nano-dollars inside and a decimal string with nine digits at the edge.
 * A number holds up to 9 million dollars exactly, which is enough for one event; sums are bigint.
 */

const NANOS_PER_DOLLAR = 1e9;
const DIGITS_AFTER_POINT = 9;

/**
 * Nano-dollars of a cost that a client reported as floating-point dollars.
 * Undefined when the figure is no cost at all: negative, not finite, or beyond what one event can hold.
 */
export function nanoUsdFromDollars(dollars: number): number | undefined {
  const nanos = Math.round(dollars * NANOS_PER_DOLLAR);
  return Number.isSafeInteger(nanos) && nanos >= 0 ? nanos : undefined;
}

/**
 * Nano-dollars of a decimal such as `3.75`, exactly. Undefined when it is none, has more than nine
 * digits after the point, or is beyond what one event can hold.
 */
export function nanoUsdFromDecimal(decimal: string): number | undefined {
  const [, whole, fraction = ''] = /^(\d{1,10})(?:\.(\d{1,9}))?$/.exec(decimal) ?? [];
  if (whole === undefined) return undefined;
  const nanos = Number(`${whole}${fraction.padEnd(DIGITS_AFTER_POINT, '0')}`);
  return Number.isSafeInteger(nanos) ? nanos : undefined;
}

/** `37258500n` becomes `"0.037258500"`. */
export function formatUsd(nanoUsd: bigint): string {
  const sign = nanoUsd < 0n ? '-' : '';
  const digits = String(nanoUsd < 0n ? -nanoUsd : nanoUsd).padStart(DIGITS_AFTER_POINT + 1, '0');
  const point = digits.length - DIGITS_AFTER_POINT;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** For people: `$1.50`, with more digits only where they are not nought. */
export function usdText(nanoUsd: number): string {
  return `$${formatUsd(BigInt(nanoUsd)).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
}

/** A share of an amount, rounded once, half to even. The divisor is positive. */
export function dividedHalfToEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twiceRest = (dividend % divisor) * 2n;
  const up = twiceRest > divisor || (twiceRest === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

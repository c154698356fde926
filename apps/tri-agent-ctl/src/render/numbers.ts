const NANOS_PER_DOLLAR = 1_000_000_000n;

export const nothing = '–';

/** `1,234`, of a whole number. `Intl` does it, too, and is slow to load. */
export function formatCount(count: number | bigint): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Exact below ten thousand, then three digits: `9,876`, `12.3k`, `1.23M`. */
export function formatTokens(count: number): string {
  if (count < 10_000) return formatCount(count);
  const [scaled, unit] =
    count < 999_500
      ? [count / 1e3, 'k']
      : count < 999_500_000
        ? [count / 1e6, 'M']
        : [count / 1e9, 'G'];
  return `${scaled.toFixed(scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0)}${unit}`;
}

/** Nano-dollars of a decimal string as the server writes it. Undefined when it is none. */
export function parseUsd(text: string): bigint | undefined {
  const match = /^(-?)(\d{1,15})(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '0', fraction = ''] = match;
  const nanos = BigInt(whole) * NANOS_PER_DOLLAR + BigInt(fraction.padEnd(9, '0'));
  return sign === '-' ? -nanos : nanos;
}

/** `$0.0373` below ten dollars, `$1,234.57` from there; what rounds to nothing but is not: `<$0.0001`. */
export function formatNanoUsd(nanoUsd: bigint): string {
  const sign = nanoUsd < 0n ? '-' : '';
  const size = nanoUsd < 0n ? -nanoUsd : nanoUsd;
  if (size > 0n && size < 50_000n) return `${sign}<$0.0001`;
  const digits = size < 10n * NANOS_PER_DOLLAR ? 4 : 2;
  const step = 10n ** BigInt(9 - digits);
  const rounded = (size + step / 2n) / step;
  const whole = rounded / 10n ** BigInt(digits);
  const fraction = String(rounded % 10n ** BigInt(digits)).padStart(digits, '0');
  return `${sign}$${formatCount(whole)}.${fraction}`;
}

/**
 * The cost of something, marked with `*` where the price book computed a part of it and with `+?` where
 * the price of a part is unknown. Unknown as a whole is a dash, never nought.
 */
export function formatCost(
  costUsd: string | null | undefined,
  unpricedRequests = 0,
  computedCostUsd?: string | null,
): string {
  const nanoUsd = typeof costUsd === 'string' ? parseUsd(costUsd) : undefined;
  if (nanoUsd === undefined) return unpricedRequests > 0 ? '?' : nothing;
  const computed = (parseUsd(computedCostUsd ?? '') ?? 0n) > 0n ? '*' : '';
  return `${formatNanoUsd(nanoUsd)}${computed}${unpricedRequests > 0 ? '+?' : ''}`;
}

const bytesUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `256 MiB`. */
export function formatBytes(bytes: number): string {
  let scaled = bytes;
  let unit = 0;
  while (scaled >= 1024 && unit < bytesUnits.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${scaled < 10 && unit > 0 ? scaled.toFixed(1) : String(Math.round(scaled))} ${bytesUnits[unit] ?? ''}`;
}

/** `42%` beside a bar of ten blocks. */
export function formatFill(fill: number): string {
  const share = Math.min(1, Math.max(0, fill));
  const full = Math.round(share * 10);
  return `${'█'.repeat(full)}${'░'.repeat(10 - full)} ${String(Math.round(fill * 100)).padStart(3)}%`;
}

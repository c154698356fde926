import { SLIDING_MS } from './windows.js';

/** Windows of 60 seconds, each up to a moment and with it. Pure. */

export interface Amount {
  readonly atMs: number;
  readonly amount: number;
}

export interface Peak {
  readonly endMs: number;
  readonly spent: number;
}

/**
 * The windows that end with spending from `fromMs` to `toMs`: of each minute of the clock the one that
 * holds most.
 *
 * @param amounts in the order of time, from 60 seconds before `fromMs` on
 */
export function slidingPeaks(amounts: readonly Amount[], fromMs: number, toMs: number): Peak[] {
  const peaks = new Map<number, Peak>();
  let first = 0;
  let spent = 0;
  for (const { atMs, amount } of amounts) {
    if (atMs > toMs) break;
    spent += amount;
    for (; (amounts[first]?.atMs ?? atMs) <= atMs - SLIDING_MS; first += 1) {
      spent -= amounts[first]?.amount ?? 0;
    }
    if (atMs < fromMs) continue;
    const minute = Math.floor(atMs / SLIDING_MS);
    const before = peaks.get(minute);
    if (before === undefined || spent > before.spent) peaks.set(minute, { endMs: atMs, spent });
  }
  return [...peaks.values()];
}

import { limits } from '#kernel/limits.js';

/** When what did not get through is sent again, and when it is given up. */
export interface RetryTimes {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Counted from when the notice came into the log, whatever was running meanwhile. */
  readonly forMs: number;
}

export const retryTimes: RetryTimes = {
  firstMs: limits.webhookRetryFirstMs,
  maxMs: limits.webhookRetryMsMax,
  forMs: limits.webhookRetryForMs,
};

/**
 * How long to wait after so many attempts: twice as long after each, with jitter, so that what failed
 * together does not come back together. The last attempt is made when the time is up; null = it was.
 *
 * @param leftMs until it is given up
 * @param chance between 0 and 1
 */
export function waitAfter(
  attempts: number,
  leftMs: number,
  chance: number,
  { firstMs, maxMs }: RetryTimes,
): number | null {
  if (leftMs <= 0) return null;
  const full = Math.min(firstMs * 2 ** (attempts - 1), maxMs);
  return Math.min(full * (0.5 + chance / 2), leftMs);
}

import { randomInt } from 'node:crypto';
import type { CoolDown } from './commands.js';

const tooManyRequests = 429;
const overloaded: readonly number[] = [503, 529];
const randomSteps = 2 ** 32;

/** What a status of a model's provider says about leaving it alone for a while; null: nothing. */
export function coolDownHint(
  statusCode: number | null,
  retryAfterMs: number | null,
): CoolDown['hint'] | null {
  if (statusCode === null) return null;
  const isOverload = overloaded.includes(statusCode);
  if (statusCode !== tooManyRequests && !isOverload) return null;
  const random = randomInt(randomSteps) / randomSteps;
  return { cause: isOverload ? 'overload' : 'rate-limit', retryAfterMs, random };
}

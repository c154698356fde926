import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { nanoUsdFromDecimal } from '#kernel/money.js';
import type { Allowance } from './spend-guard.policy.js';

/** What the server answers, as far as a worker needs it. */

const text = z.string();
const optional = text.nullable();

const usd = z
  .string()
  .regex(/^\d{1,10}\.\d{9}$/)
  .nullable();
const allowance = z
  .object({ remainingUsd: usd, usdPerMinute: usd })
  .transform(({ remainingUsd, usdPerMinute }): Allowance => ({
    remainingNanoUsd: nanoUsdOf(remainingUsd),
    nanoUsdPerMinute: nanoUsdOf(usdPerMinute),
  }))
  .nullable();

const rate = z.int().nonnegative().nullable();
const price = z.object({
  provider: text,
  model: text,
  tier: text,
  promptTokensAbove: z.int(),
  validFrom: text,
  validUntil: optional,
  nanoUsdPerMillionTokens: z.object({
    input: rate,
    output: rate,
    cacheRead: rate,
    cacheCreation: rate,
    cacheCreation1h: rate,
  }),
});
const published = z.object({
  priceVersion: text,
  order: z.int(),
  origin: z.enum(['shipped', 'operator']),
  prices: z.array(price),
});

export const claimed = z.object({
  taskId: text,
  attemptId: text,
  fencingToken: z.int(),
  beatEveryMs: z.int().positive(),
  resume: z.object({ sessionId: text, attemptId: text }).nullable(),
  allowance,
  prices: z.array(published),
  task: z.object({
    prompt: text,
    agent: z.enum(['claude-code', 'codex', 'gemini']),
    provider: text,
    model: optional,
    directory: optional,
    repository: optional,
    ref: optional,
    team: optional,
    project: optional,
    permissionMode: optional,
    allowedTools: z.array(text),
    maxCostUsd: usd,
    attempt: z.int(),
  }),
});
export type Claimed = z.infer<typeof claimed>;

export const registered = z.object({
  workerId: text,
  token: text,
  beatEveryMs: z.int().positive(),
});
export const moved = z.object({ next: claimed.nullable() });

const haltOrder = z.object({ how: z.enum(['pause', 'kill']), reason: text });
export type HaltOrder = z.infer<typeof haltOrder> & {
  /** How long after TERM comes KILL; as usual where it is not told. */
  readonly graceMs?: number;
};
/** An order that did not come over the control stream at once: time has gone by since. */
export function late(order: HaltOrder): HaltOrder {
  return order.how === 'kill' ? { ...order, graceMs: limits.lateKillGraceMs } : order;
}

export const answered = z.object({ halt: haltOrder.nullable(), allowance });

/** What a work place may be kept for. */
export const taskShown = z.object({
  conversation: z.object({ attemptId: text }).nullable(),
});

export const outputTaken = z.object({ hasRoom: z.boolean() });

export const holds = z.object({
  attemptIds: z.array(text),
  halts: z.array(haltOrder.extend({ attemptId: text })),
});
export const halt = z.object({ attemptId: text, reason: text });
export const stop = z.object({ attemptId: text, reason: text });
export const leave = z.object({ reason: text });

/** More than a number can tell is no limit that an agent could reach. */
function nanoUsdOf(decimal: string | null): number | null {
  return decimal === null ? null : (nanoUsdFromDecimal(decimal) ?? null);
}

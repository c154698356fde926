import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import {
  attribution,
  count,
  identifier,
  request,
  session,
  thread,
  time,
  type AgentName,
} from './shapes.events.js';

/**
 * What is known of a session's use of models. Stream: that of the session.
 *
 * Tokens never overlap: `inputTokens` excludes cached ones, `outputTokens` includes reasoning, of
 * which `reasoningTokens` is the part where the agent tells it.
 */

/** What a request used and cost, whoever tells of it. */
const usage = {
  provider: identifier,
  model: identifier,
  /** Which of the provider's price lists; null = not told. */
  tier: identifier.nullable(),
  inputTokens: count,
  outputTokens: count,
  cacheReadTokens: count,
  cacheCreationTokens: count,
  /** The part of `cacheCreationTokens` that is kept for an hour (and dearer); null = not told. */
  cacheCreation1hTokens: count.nullable(),
  reasoningTokens: count.nullable(),
  /** What counts: what the agent reported, else what was computed. */
  costNanoUsd: count.nullable(),
  costOrigin: z.enum(['reported', 'computed', 'unknown']),
  /** By the price book, beside what the agent reported; null where no price is known. */
  computedNanoUsd: count.nullable(),
  priceVersion: identifier.nullable(),
};

/**
 * One model request that was answered, as telemetry tells it. The agent's own file may state the same
 * one: who counts must count it once (libs/sessions/usage-ledger.ts).
 */
const UsageRecorded = z.strictObject({
  ...session,
  ...request,
  ...attribution,
  ...thread,
  ...usage,
  durationMs: count.nullable(),
  timeToFirstTokenMs: count.nullable(),
});

const statedRequest = z.strictObject({
  /** What the agent knows the request by, in all of its files. */
  key: identifier,
  requestId: identifier.optional(),
  occurredAt: time,
  project: identifier.optional(),
  ...thread,
  ...usage,
});
export type StatedRequest = z.infer<typeof statedRequest>;

/** Model requests as the agent's own file states them: a part of a session's history at a time. */
const UsageStated = z.strictObject({
  ...session,
  requests: z.array(statedRequest).min(1).max(limits.requestsPerStatementMax),
});

/**
 * What tells a stated request from all others. A line of Claude Code that was read while it was
 * written may be stated again with more tokens: its requests meet telemetry by their id. Where they
 * meet it by their tokens, what was stated first stands.
 */
export function statedKeyOf(agent: AgentName, stated: StatedRequest): string {
  const { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = stated;
  const tokens = [inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens];
  const all = [...tokens, stated.cacheCreation1hTokens];
  return JSON.stringify([agent, stated.key, ...(agent === 'claude-code' ? all : [])]);
}

/** The computed cost of a request is another by prices that came later. A reported cost stays. */
const UsageRepriced = z.strictObject({
  ...session,
  /** The id of the `UsageRecorded` that it corrects, or the digest of a stated request's key. */
  usageId: identifier,
  computedNanoUsd: count.nullable(),
  priceVersion: identifier.nullable(),
});

/** What the agent's own file says that the whole session has used so far. */
const SessionTotalsStated = z.strictObject({
  ...session,
  inputTokens: count,
  outputTokens: count,
  cacheReadTokens: count,
  cacheCreationTokens: count,
  costNanoUsd: count.nullable(),
});

/**
 * One export of the usage counters, each reading as its counter says it: what is new in it depends on
 * the readings before. Spend is counted from it only in a session that sends no `UsageRecorded`.
 *
 * Counters that overlap have kinds of their own: `prompt` includes `promptCached`, so that the input is
 * known where both of one series were read at the same time; `thoughts` is output that `output` lacks.
 */
const UsageMetered = z.strictObject({
  ...session,
  ...attribution,
  ...thread,
  provider: identifier,
  model: identifier,
  temporality: z.enum(['delta', 'cumulative']),
  /** When the counters were read; null where that was not told. */
  at: time.nullable(),
  readings: z
    .array(
      z.strictObject({
        kind: z.enum([
          'input',
          'output',
          'cacheRead',
          'cacheCreation',
          'costNanoUsd',
          'prompt',
          'promptCached',
          'thoughts',
        ]),
        /** Tells counters of one kind apart that count beside each other. */
        series: identifier.optional(),
        /** When the counter began: with `cumulative` readings another one is a reset. */
        since: time,
        amount: count,
      }),
    )
    .min(1),
});

export const usageEvents = {
  UsageRecorded: { version: 3, schema: UsageRecorded },
  UsageStated: { version: 1, schema: UsageStated },
  UsageRepriced: { version: 1, schema: UsageRepriced },
  SessionTotalsStated: { version: 1, schema: SessionTotalsStated },
  UsageMetered: { version: 2, schema: UsageMetered },
} as const;

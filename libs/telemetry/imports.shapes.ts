import { z } from 'zod';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';

/**
 * What a reader of an agent's own files sends: facts, never prompts or answers. Tokens are counted as
 * events count them, none twice.
 */

const identifier = z.string().min(1).max(limits.identifierCharactersMax);
const count = z.int().nonnegative();
const time = z.iso.datetime();
const costUsd = z
  .string()
  .regex(/^\d{1,6}\.\d{9}$/, 'must be US dollars with nine digits after the point');

const session = { agent: agentName, sessionId: identifier };
const tokens = {
  inputTokens: count.describe('Without cached tokens.'),
  outputTokens: count.describe('With reasoning.'),
  cacheReadTokens: count,
  cacheCreationTokens: count,
};

const usageFact = z.strictObject({
  kind: z.literal('usage'),
  ...session,
  key: identifier.describe('What the agent knows the request by, in all of its files.'),
  requestId: identifier.optional().describe('Where the telemetry of the agent names it, too.'),
  occurredAt: time,
  model: identifier,
  provider: identifier.optional(),
  tier: identifier.nullable(),
  ...tokens,
  cacheCreation1hTokens: count.nullable(),
  reasoningTokens: count.nullable(),
  costUsd: costUsd.optional().describe('Where the agent itself wrote it down.'),
  thread: z.enum(['main', 'subagent']),
  subagentId: identifier.optional(),
  project: identifier.optional(),
  clientVersion: identifier.optional(),
});

const totalsFact = z.strictObject({
  kind: z.literal('totals'),
  ...session,
  statedAt: time,
  ...tokens,
  costUsd: costUsd.nullable(),
});

const compactionFact = z.strictObject({
  kind: z.literal('compaction'),
  ...session,
  key: identifier,
  occurredAt: time,
  preTokens: count.nullable(),
  postTokens: count.nullable(),
});

export const fact = z.discriminatedUnion('kind', [usageFact, totalsFact, compactionFact]);
export type Fact = z.infer<typeof fact>;
export type UsageFact = z.infer<typeof usageFact>;

/** As it is checked at the door: one bad fact is refused alone, so each is looked at later. */
export const importBody = z.strictObject({
  facts: z.array(z.unknown()).min(1).max(limits.importFactsMax),
});
export type ImportBody = z.infer<typeof importBody>;

/** As the API's document describes it. */
export const describedImportBody = z.strictObject({
  facts: z.array(fact).min(1).max(limits.importFactsMax),
});

export const importAnswer = z.strictObject({
  appended: z.int().describe('Facts that were new.'),
  duplicates: z.int().describe('Facts that the log held already.'),
  rejected: z.array(z.strictObject({ index: z.int(), reason: z.string() })),
});
export type ImportAnswer = z.infer<typeof importAnswer>;

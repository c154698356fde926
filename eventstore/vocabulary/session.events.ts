import { z } from 'zod';
import { limits } from '#kernel/limits.js';

/**
 * What is known of an agent session. Stream: `session-<agent>-<sessionId>`.
 *
 * Tokens never overlap: `inputTokens` excludes cached ones, `outputTokens` includes reasoning, of
 * which `reasoningTokens` is the part where the agent tells it. Content (prompts, answers, arguments)
 * is never in an event, only the hash under which the content store keeps it where that is on.
 */

const identifier = z.string().min(1).max(limits.identifierCharactersMax);
const freeText = z.string().max(limits.freeTextCharactersMax);
const count = z.int().nonnegative();
const time = z.iso.datetime();

export const agentName = z.enum(['claude-code', 'codex', 'gemini']);
export type AgentName = z.infer<typeof agentName>;

const session = {
  sessionId: identifier,
  agent: agentName,
};

/** Whom the work is for, where the telemetry says so (resource attributes). */
const attribution = {
  taskId: identifier.optional(),
  attemptId: identifier.optional(),
  project: identifier.optional(),
  team: identifier.optional(),
  userId: identifier.optional(),
};

/** Which conversation inside the session: only `main` fills the context window that people see. */
const thread = {
  thread: z.enum(['main', 'subagent', 'compaction', 'auxiliary']),
  subagentId: identifier.optional(),
  subagentType: identifier.optional(),
};

const request = {
  requestId: identifier.optional(),
  promptId: identifier.optional(),
};

const SessionStarted = z.strictObject({
  ...session,
  ...attribution,
  startType: z.enum(['fresh', 'resume']),
  clientVersion: identifier.optional(),
});

const PromptSubmitted = z.strictObject({
  ...session,
  promptId: identifier.optional(),
  messageId: identifier.optional(),
  ...attribution,
  command: identifier.optional(),
  contentHash: identifier.optional(),
  promptCharacters: count.nullable(),
});

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

/** A model request that the agent gave up on. */
const RequestFailed = z.strictObject({
  ...session,
  ...request,
  ...attribution,
  ...thread,
  provider: identifier,
  model: identifier,
  statusCode: count.nullable(),
  error: freeText,
  attempt: count.nullable(),
  durationMs: count.nullable(),
});

/** A model request that took more than one attempt, as only the trace tells. */
const RequestRetried = z.strictObject({
  ...session,
  ...request,
  provider: identifier,
  model: identifier,
  attempts: count,
  succeeded: z.boolean(),
  errorClass: identifier.optional(),
  durationMs: count.nullable(),
});

/** The agent used up its retries. */
const RetriesExhausted = z.strictObject({
  ...session,
  ...request,
  provider: identifier,
  model: identifier,
  statusCode: count.nullable(),
  error: freeText,
  attempts: count,
  durationMs: count.nullable(),
});

const AnswerReceived = z.strictObject({
  ...session,
  ...request,
  messageId: identifier.optional(),
  ...thread,
  model: identifier,
  contentHash: identifier.optional(),
  answerCharacters: count.nullable(),
});

const ToolDecided = z.strictObject({
  ...session,
  ...request,
  toolUseId: identifier,
  toolName: identifier,
  decision: z.enum(['accept', 'reject']),
  decidedBy: identifier,
  permissionMode: identifier.optional(),
});

const ToolFinished = z.strictObject({
  ...session,
  ...request,
  toolUseId: identifier,
  toolName: identifier,
  succeeded: z.boolean(),
  errorType: identifier.optional(),
  contentHash: identifier.optional(),
  inputBytes: count.nullable(),
  resultBytes: count.nullable(),
  durationMs: count.nullable(),
});

const ContextCompacted = z.strictObject({
  ...session,
  promptId: identifier.optional(),
  trigger: z.enum(['auto', 'manual']),
  succeeded: z.boolean(),
  preTokens: count.nullable(),
  postTokens: count.nullable(),
  durationMs: count.nullable(),
});

const SubagentFinished = z.strictObject({
  ...session,
  promptId: identifier.optional(),
  subagentId: identifier,
  subagentType: identifier,
  model: identifier.optional(),
  background: z.boolean(),
  totalTokens: count.nullable(),
  toolUses: count.nullable(),
  durationMs: count.nullable(),
});

/** One export of the counters that are no spend: lines, commits, pull requests, time at work. */
const ActivityMetered = z.strictObject({
  ...session,
  ...attribution,
  temporality: z.enum(['delta', 'cumulative']),
  readings: z
    .array(
      z.strictObject({
        measure: z.enum([
          'linesAdded',
          'linesRemoved',
          'commits',
          'pullRequests',
          'editsAccepted',
          'editsRejected',
          'activeMs',
        ]),
        /** What tells series of one measure apart (model, tool, language), so that each resets alone. */
        series: freeText,
        since: time,
        amount: count,
      }),
    )
    .min(1),
});

export const sessionEvents = {
  SessionStarted: { version: 1, schema: SessionStarted },
  PromptSubmitted: { version: 1, schema: PromptSubmitted },
  UsageRecorded: { version: 3, schema: UsageRecorded },
  UsageStated: { version: 1, schema: UsageStated },
  UsageRepriced: { version: 1, schema: UsageRepriced },
  SessionTotalsStated: { version: 1, schema: SessionTotalsStated },
  UsageMetered: { version: 2, schema: UsageMetered },
  RequestFailed: { version: 1, schema: RequestFailed },
  RequestRetried: { version: 1, schema: RequestRetried },
  RetriesExhausted: { version: 1, schema: RetriesExhausted },
  AnswerReceived: { version: 1, schema: AnswerReceived },
  ToolDecided: { version: 1, schema: ToolDecided },
  ToolFinished: { version: 1, schema: ToolFinished },
  ContextCompacted: { version: 1, schema: ContextCompacted },
  SubagentFinished: { version: 1, schema: SubagentFinished },
  ActivityMetered: { version: 1, schema: ActivityMetered },
} as const;

/** What a stream's name may not hold is escaped as in a URL, so that spend under any id is kept. */
export function sessionStream(agent: AgentName, sessionId: string): string {
  return `session-${agent}-${sessionId.replace(/[\p{Cc}%]/gu, encodeURIComponent)}`;
}

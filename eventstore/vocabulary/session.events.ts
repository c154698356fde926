import { z } from 'zod';
import {
  attribution,
  count,
  freeText,
  identifier,
  request,
  session,
  thread,
  time,
  type AgentName,
} from './shapes.events.js';

/**
 * What is known of an agent session but for its usage (usage.events.ts). Stream:
 * `session-<agent>-<sessionId>`. Content (prompts, answers, arguments) is never in an event, only the
 * hash under which the content store keeps it where that is on.
 */

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

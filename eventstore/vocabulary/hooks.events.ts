import { z } from 'zod';
import { count, freeText, identifier, session } from './shapes.events.js';

/**
 * What agents tell by their hooks, of the sessions that people start, too. Stream: that of the session
 * (session.events.ts). Prompts, answers and what tools are given are in none of them.
 */

/**
 * A session began, or went on, in a process that is new to it. `pid` and `startMark` are told where the server found
 * that one on its own host; both are null otherwise.
 */
const AgentProcessSeen = z.strictObject({
  ...session,
  host: identifier.nullable(),
  pid: count.nullable(),
  startMark: identifier.nullable(),
  directory: freeText.nullable(),
  /** In the agent's words: startup, resume, clear, compact. */
  startType: identifier.nullable(),
});

const turn = { ...session, promptId: identifier.optional() };

const TurnBegan = z.strictObject(turn);

const TurnEnded = z.strictObject({
  ...turn,
  succeeded: z.boolean(),
  /** In the agent's words, such as `rate_limit`. */
  error: identifier.optional(),
});

/** The gate was shut: the agent was told to stop, and why. Whatever turn was under way has ended. */
const AgentStopped = z.strictObject({
  ...turn,
  before: z.enum(['prompt', 'tool']),
  reason: freeText,
});

const CompactionBegan = z.strictObject({
  ...turn,
  /** In the agent's words: auto or manual. */
  trigger: identifier.nullable(),
});

const SessionEnded = z.strictObject({
  ...session,
  /** In the agent's words: other, clear, logout, exit. */
  reason: identifier.nullable(),
});

export const hookEvents = {
  AgentProcessSeen: { version: 1, schema: AgentProcessSeen },
  TurnBegan: { version: 1, schema: TurnBegan },
  TurnEnded: { version: 1, schema: TurnEnded },
  AgentStopped: { version: 1, schema: AgentStopped },
  CompactionBegan: { version: 1, schema: CompactionBegan },
  SessionEnded: { version: 1, schema: SessionEnded },
} as const;

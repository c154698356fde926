import { z } from 'zod';
import { limits } from '#kernel/limits.js';

/** What events have in common. */

export const identifier = z.string().min(1).max(limits.identifierCharactersMax);
export const freeText = z.string().max(limits.freeTextCharactersMax);
export const count = z.int().nonnegative();
export const time = z.iso.datetime();

export const agentName = z.enum(['claude-code', 'codex', 'gemini']);
export type AgentName = z.infer<typeof agentName>;

export const session = {
  sessionId: identifier,
  agent: agentName,
};

/** Whom the work is for, where the telemetry says so (resource attributes). */
export const attribution = {
  taskId: identifier.optional(),
  attemptId: identifier.optional(),
  project: identifier.optional(),
  team: identifier.optional(),
  userId: identifier.optional(),
};

/** Which conversation inside the session: only `main` fills the context window that people see. */
export const thread = {
  thread: z.enum(['main', 'subagent', 'compaction', 'auxiliary']),
  subagentId: identifier.optional(),
  subagentType: identifier.optional(),
};

export const request = {
  requestId: identifier.optional(),
  promptId: identifier.optional(),
};

import { z } from 'zod';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';
import { nextCursor } from '#platform/api-shapes.js';

/**
 * What an agent's hook sends, as far as it is wanted: prompts, answers and what tools are given are
 * dropped here, at the door.
 */

const identifier = z.string().min(1).max(limits.identifierCharactersMax);
/** A word of the agent's that may be absent, and is cut rather than refused. */
const word = z
  .string()
  .transform((text) => text.slice(0, limits.identifierCharactersMax) || undefined)
  .nullish();

const claimedProcess = z.strictObject({
  host: identifier,
  pid: z.int().positive(),
  startMark: identifier,
});
export type ClaimedProcess = z.infer<typeof claimedProcess>;

export const hookBody = z.object({
  session_id: identifier,
  hook_event_name: identifier,
  cwd: z.string().max(limits.pathCharactersMax).nullish(),
  prompt_id: identifier.nullish().describe('Claude Code.'),
  turn_id: identifier.nullish().describe('Codex.'),
  source: word.describe('Why the session starts.'),
  trigger: word.describe('Of a compaction.'),
  reason: word.describe('Why the session ends.'),
  error: word.describe('Why the turn failed.'),
  tri_agent: claimedProcess
    .optional()
    .describe('The process of the agent; "tri-agent-ctl hook" adds it.'),
});
export type HookBody = z.infer<typeof hookBody>;

export const hookParams = z.strictObject({ agent: agentName });
export type HookParams = z.infer<typeof hookParams>;

/** In the agent's own form: empty = go on. */
export const hookAnswer = z.looseObject({});

export const agentProcessesPage = z.strictObject({
  items: z.array(
    z.strictObject({
      sessionId: z.string(),
      agent: agentName,
      host: z.string(),
      pid: z.int(),
      startMark: z.string().describe('Opaque: no other process with this pid ever has the same.'),
      directory: z.string().nullable(),
      seenAt: z.iso.datetime(),
    }),
  ),
  nextCursor,
});
export type AgentProcessesPage = z.infer<typeof agentProcessesPage>;

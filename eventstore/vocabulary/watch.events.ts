import { z } from 'zod';
import { agentName, count, freeText, identifier, time } from './shapes.events.js';

/** What was noticed of agents at work that they do not tell themselves. Stream: `watch`. */

const session = { agent: agentName, sessionId: identifier, taskId: identifier.nullable() };

/**
 * It does the same over and over and does not get on: a request, a tool or an attempt of its task fails
 * again and again with nothing that succeeds between; or, as `repetition`, a tool is called the same way
 * with the same result in one answer after the other.
 */
const LoopDetected = z.strictObject({
  ...session,
  what: z.enum(['request', 'tool', 'attempt', 'repetition']),
  /** The model, the tool or the task of which it is. */
  name: identifier,
  /** In a row, as far as was told. */
  times: count,
  since: time,
  /** What it failed with in the end; empty where nothing failed. */
  error: freeText,
});

/**
 * A model request is known to be open, and nothing is heard of its session any more. Until something is,
 * it counts as spending at this pace, which is an estimate.
 */
const SessionWentSilent = z.strictObject({
  ...session,
  /** When it was last heard of. */
  since: time,
  silentMs: count,
  /** Null: nobody knows, so that nothing can be estimated. */
  estimatedNanoUsdPerMinute: count.nullable(),
});

const SessionHeardAgain = z.strictObject({ ...session, silentMs: count });

export const watchEvents = {
  LoopDetected: { version: 1, schema: LoopDetected },
  SessionWentSilent: { version: 1, schema: SessionWentSilent },
  SessionHeardAgain: { version: 1, schema: SessionHeardAgain },
} as const;

export const WATCH_STREAM = 'watch';

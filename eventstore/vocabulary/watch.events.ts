import { z } from 'zod';
import { agentName, count, freeText, identifier, time } from './shapes.events.js';

/** What was noticed of agents at work that they do not tell themselves. Stream: `watch`. */

const session = { agent: agentName, sessionId: identifier, taskId: identifier.nullable() };

/** It fails and tries again, over and over, without anything that succeeds between. */
const LoopDetected = z.strictObject({
  ...session,
  what: z.enum(['request', 'tool']),
  /** The model, or the tool, of which it is. */
  name: identifier,
  failures: count,
  since: time,
  /** What it failed with in the end. */
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
  estimatedNanoUsdPerMinute: count,
});

const SessionHeardAgain = z.strictObject({ ...session, silentMs: count });

export const watchEvents = {
  LoopDetected: { version: 1, schema: LoopDetected },
  SessionWentSilent: { version: 1, schema: SessionWentSilent },
  SessionHeardAgain: { version: 1, schema: SessionHeardAgain },
} as const;

export const WATCH_STREAM = 'watch';

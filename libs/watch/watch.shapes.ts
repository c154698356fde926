import { z } from 'zod';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';
import { moment } from '#platform/api-shapes.js';

const usd = z.string().describe('Dollars, nine digits after the point.');
const session = { agent: agentName, sessionId: z.string(), taskId: z.string().nullable() };

const silentShape = z.strictObject({
  ...session,
  model: z.string().nullable(),
  team: z.string().nullable(),
  project: z.string().nullable(),
  since: moment,
  silentMs: z.int(),
  usdPerMinute: usd.nullable().describe('The pace of the estimate; null: none is known.'),
  estimatedUsd: usd.nullable().describe('Since then; null: no pace is known.'),
});

const loopShape = z.strictObject({
  ...session,
  what: z.enum(['request', 'tool', 'attempt', 'repetition']),
  name: z.string().describe('The model, the tool or the task.'),
  times: z.int().describe('In a row.'),
  since: moment,
  detectedAt: moment,
  error: z.string(),
});

export const watchShape = z.strictObject({
  silentAfterMs: z
    .int()
    .describe('For how long nothing is heard of a session whose request is open.'),
  silentSessions: z.int(),
  estimatedUsd: usd.describe('Of all that are silent, as far as a pace is known.'),
  silent: z.array(silentShape).max(limits.silentShownMax).describe('The one longest so first.'),
  loops: z
    .array(loopShape)
    .max(limits.loopsShownMax)
    .describe('Of the last hour, the newest first.'),
});
export type WatchAnswer = z.infer<typeof watchShape>;

import { z } from 'zod';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';
import { nextCursor, text } from '#platform/api-shapes.js';

/** What is ended at once, and whether it was. */

const aim = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('task'), taskId: text }),
  z.strictObject({ kind: z.literal('session'), sessionId: text }),
  z.strictObject({ kind: z.literal('worker'), workerId: text }),
  z.strictObject({ kind: z.literal('all') }),
]);

export const killBody = z.strictObject({
  aim: aim.describe('What is to be ended: a task, a session, what a worker runs, or everything.'),
  reason: z.string().min(1).max(limits.freeTextCharactersMax),
  dryRun: z.boolean().default(false).describe('Only tell what would be ended.'),
});
export type KillBody = z.infer<typeof killBody>;

const processShape = z.strictObject({
  pid: z.int(),
  name: z.string().describe('As the process calls itself: text of the agent.'),
  startedAt: z.iso.datetime(),
});

const targetShape = z.strictObject({
  kind: z.enum(['attempt', 'session']),
  taskId: z.string().nullable(),
  attemptId: z.string().nullable(),
  workerId: z.string().nullable(),
  agent: agentName.nullable(),
  sessionId: z.string().nullable(),
  host: z.string().nullable(),
  pid: z.int().nullable(),
});

const outcomeShape = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('open') }),
  z.strictObject({
    is: z.literal('confirmed'),
    ended: z.int().describe('Processes.'),
    durationMs: z.int().nullable().describe('Null: ordered before the server was started.'),
  }),
  z.strictObject({
    is: z.literal('failed'),
    survivors: z.array(z.strictObject({ pid: z.int(), name: z.string() })),
    reason: z.string(),
  }),
]);

export const killShape = z.strictObject({
  killId: z.string(),
  target: targetShape,
  reason: z.string(),
  budgetId: z.string().nullable().describe('Null: an operator ordered it.'),
  outcome: outcomeShape,
});
export type KillItem = z.infer<typeof killShape>;

export const killsOrderedShape = z.strictObject({
  dryRun: z.boolean(),
  claimsPaused: z.boolean().describe('Whether nothing new is claimed until somebody resumes.'),
  items: z.array(
    z.strictObject({
      killId: z.string().nullable().describe('Null: nothing was ordered.'),
      target: targetShape,
      processes: z
        .array(processShape)
        .nullable()
        .describe('Those of this host, at this moment; null where it runs on another.'),
    }),
  ),
});
export type KillsOrdered = z.infer<typeof killsOrderedShape>;

export const killsPage = z.strictObject({ items: z.array(killShape), nextCursor });
export const killParams = z.strictObject({ killId: text });

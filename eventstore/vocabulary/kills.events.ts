import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { agentName, count, freeText, identifier } from './shapes.events.js';

/**
 * Agents that were to be ended at once, and whether they were. Stream: `kills`. What is ended is known by
 * its registration, never by a name of a program.
 */

/** An attempt of a worker, or a session that a person began. */
const target = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('attempt'),
    taskId: identifier,
    attemptId: identifier,
    workerId: identifier,
  }),
  z.strictObject({
    kind: z.literal('session'),
    agent: agentName,
    sessionId: identifier,
    host: identifier,
    pid: z.int().positive(),
    startMark: identifier,
  }),
]);
export type KillTarget = z.infer<typeof target>;

const kill = { killId: identifier, target };

const processes = z
  .array(z.strictObject({ pid: z.int().positive(), name: freeText }))
  .max(limits.survivorsToldMax);

const KillOrdered = z.strictObject({
  ...kill,
  reason: freeText,
  /** Null: an operator's. */
  budgetId: identifier.nullable(),
});

/** Nothing of it is left: seen, not assumed. */
const KillConfirmed = z.strictObject({
  ...kill,
  /** How many processes were ended, the agent's own among them; 0 = it had ended already. */
  ended: count,
  /** From the order to the last one gone; null where the clock of another host told it. */
  durationMs: count.nullable(),
});

/** Somebody has to look: something of it runs on, or nobody could say. */
const KillFailed = z.strictObject({ ...kill, survivors: processes, reason: freeText });

export const killEvents = {
  KillOrdered: { version: 1, schema: KillOrdered },
  KillConfirmed: { version: 1, schema: KillConfirmed },
  KillFailed: { version: 1, schema: KillFailed },
} as const;

export const KILLS_STREAM = 'kills';

import { z } from 'zod';
import { shard } from '#eventstore/vocabulary/dispatch.events.js';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';
import { nextCursor, text } from '#platform/api-shapes.js';

/** Who works, and on what. */

const seatBody = z.strictObject({
  agent: agentName,
  provider: text.optional().describe("Where the agent's models are; its own provider by default."),
  account: text.default('default').describe('What rate limits and cool-downs are counted by.'),
  models: z.array(text).max(limits.modelsPerSeatMax).default([]).describe('Empty: all.'),
});

const agentBody = z
  .union([agentName, z.strictObject({ name: agentName, version: text.nullable().default(null) })])
  .transform((it) => (typeof it === 'string' ? { name: it, version: null } : it))
  .describe('The name of an agent, or that and what its command line says its version is.');

export const workerBody = z
  .strictObject({
    workerId: text.optional().describe('To come back as the worker that one was.'),
    host: text.default('unknown'),
    shards: z
      .array(shard)
      .min(1)
      .max(shard.options.length)
      .default([...shard.options])
      .describe('Its own; it takes from others when these have nothing older for it.'),
    agents: z.array(agentBody).min(1).max(agentName.options.length).optional(),
    seats: z.array(seatBody).min(1).max(limits.seatsPerWorkerMax).optional(),
    slots: z.int().min(1).max(limits.slotsPerWorkerMax).default(1),
    containment: text
      .nullable()
      .default(null)
      .describe('By which means what its agents start is held together.'),
  })
  .prefault({});
export type WorkerBody = z.infer<typeof workerBody>;

export const registeredShape = z.strictObject({
  workerId: z.string(),
  token: z.string().describe('Shown by the worker as its bearer token; it is not told again.'),
  leaseMs: z.int(),
  beatEveryMs: z.int(),
});
export type Registered = z.infer<typeof registeredShape>;

const workerShape = z.strictObject({
  workerId: z.string(),
  host: z.string(),
  shards: z.array(shard),
  seats: z.array(
    z.strictObject({
      agent: agentName,
      provider: z.string(),
      account: z.string(),
      models: z.array(z.string()),
    }),
  ),
  slots: z.int(),
  agents: z.array(z.strictObject({ name: agentName, version: z.string().nullable() })),
  containment: z.string().nullable(),
  running: z.int().describe('Attempts that it holds.'),
  attempts: z.array(z.strictObject({ attemptId: z.string(), taskId: z.string() })),
});
export type WorkerItem = z.infer<typeof workerShape>;
export const workersPage = z.strictObject({ items: z.array(workerShape), nextCursor });

export const workerParams = z.strictObject({ workerId: text });
export const leaveBody = z
  .strictObject({
    reason: z.string().max(limits.freeTextCharactersMax).default(''),
  })
  .prefault({});

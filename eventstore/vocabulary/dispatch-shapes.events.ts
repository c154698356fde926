import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { agentName, identifier } from './shapes.events.js';

/** The words of dispatch: what several of its events have in common. */

export const lane = z.enum(['critical', 'normal', 'background']);
export type Lane = z.infer<typeof lane>;
export const shard = z.enum(['impl', 'review', 'architect']);
export type Shard = z.infer<typeof shard>;
export const size = z.enum(['small', 'medium', 'large']);
export type Size = z.infer<typeof size>;

/** What a gate stands before: everything, or what has this lane, team, model ... */
export const scope = z
  .string()
  .max(limits.scopeCharactersMax)
  .regex(/^(all|(lane|shard|worker|agent|model|account|team|project):.+)$/s);

/** How an attempt is to end so that its conversation can be carried on: at the next pause, or at once. */
export const haltWay = z.enum(['pause', 'kill']);
export type HaltWay = z.infer<typeof haltWay>;

/** Where a conversation with an agent can be carried on. */
export const conversation = z.strictObject({
  sessionId: identifier,
  agent: agentName,
  /** As the worker registered it: its files are there. */
  host: identifier,
  /** In whose work place it began. */
  attemptId: identifier,
});
export type Conversation = z.infer<typeof conversation>;

/** A login of a worker to a provider. */
export const seat = z.strictObject({
  agent: agentName,
  provider: identifier,
  account: identifier,
  /** The models that this account has; empty = all. */
  models: z.array(identifier).max(limits.modelsPerSeatMax),
});

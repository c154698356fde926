import { z } from 'zod';
import { lane, scope, shard } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import { moment } from '#platform/api-shapes.js';

/** The queue as a whole: its gates and its figures. */

const why = z.string().max(limits.freeTextCharactersMax).default('');
const named = scope
  .default('all')
  .describe('`all`, or lane:, shard:, worker:, agent:, ... and a name.');

export const gateBody = z.strictObject({ scope: named, reason: why }).prefault({});
export type GateBody = z.infer<typeof gateBody>;
export const wipBody = z.strictObject({
  scope: named,
  limit: z.int().nonnegative().nullable().describe('Attempts at once; null: any number.'),
});
export type WipBody = z.infer<typeof wipBody>;

const counts = {
  waiting: z.int().describe('For tasks that they depend on.'),
  ready: z.int(),
  delayed: z.int().describe('After a failure.'),
  running: z.int(),
  paused: z.int().describe('Until they are resumed.'),
};

const perHour = z.number().describe('Per hour.');
const milliseconds = z.number().nullable();
const shardShape = z.strictObject({
  shard,
  arrivalsPerHour: perHour.describe('λ'),
  servedPerHourPerSlot: perHour.nullable().describe('μ; null: nothing has ended in the window.'),
  slots: z.int().describe('c'),
  utilisation: z.number().nullable().describe('ρ = λ / (c μ): from 1 on the queue grows.'),
  expectedWaitMs: milliseconds.describe('Wq of M/M/c; null: not known, or without end.'),
  observedWaitMs: z.strictObject({ mean: z.number(), p95: z.number(), max: z.number() }).nullable(),
});

export const queueShape = z.strictObject({
  ...counts,
  open: z.int().describe('All that have not ended.'),
  parked: z.int().describe('In the dead letters.'),
  windowMs: z.int().describe('Over how long the figures of the shards were taken.'),
  shards: z.array(shardShape),
  closed: z
    .array(
      z.strictObject({
        scope: z.string(),
        mode: z.enum(['paused', 'draining', 'tripped']),
        reason: z.string(),
        since: moment,
      }),
    )
    .describe('Scopes of which nothing is claimed.'),
  coolingDown: z.array(
    z.strictObject({
      provider: z.string(),
      account: z.string(),
      model: z.string().nullable(),
      level: z.int().describe('How often the provider refused in a row.'),
      until: moment,
      state: z.enum(['closed', 'probing', 'waking-up']),
    }),
  ),
  wipLimits: z.array(z.strictObject({ scope: z.string(), limit: z.int(), running: z.int() })),
});
export type QueueAnswer = z.infer<typeof queueShape>;

export const lanesShape = z.strictObject({
  items: z.array(
    z.strictObject({
      lane,
      ...counts,
      headStartMs: z.int().describe('By how much it is before the lane that comes last.'),
      oldestWaitMs: z.number().nullable().describe('Of those that are ready.'),
    }),
  ),
});
export type LanesAnswer = z.infer<typeof lanesShape>;

export const gateChangedShape = z.strictObject({
  changed: z.boolean().describe('False: it was so already.'),
});

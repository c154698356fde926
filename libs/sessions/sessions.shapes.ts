import { z } from 'zod';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { eventTypes } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { cursor, moment, nextCursor, pageLimit, text, time } from '#platform/api-shapes.js';
import { isTimeZone } from './usage-buckets.js';

/** What is asked and answered over HTTP: checked at the door, and described in the API's document. */

const money = z
  .string()
  .nullable()
  .describe('US dollars with nine digits after the point; null: used, and no price is known.');
/** May be negative. */
export const moneySum = z.string();

const sessionState = z.enum(['active', 'idle', 'ended']);

const tokens = z.strictObject({
  input: z.int().describe('Without cached tokens.'),
  output: z.int().describe('With reasoning.'),
  cacheRead: z.int(),
  cacheCreation: z.int(),
  reasoning: z.int().nullable().describe('Part of output; null: the agent does not say.'),
});

const priceCheck = z
  .strictObject({
    requests: z.int(),
    reportedUsd: z.string(),
    computedUsd: z.string(),
    differenceUsd: z.string().describe('Reported less computed.'),
  })
  .describe('Requests whose cost both the agent and the price book tell; null: there are none.');

const usage = {
  tokens,
  costUsd: money,
  computedCostUsd: z
    .string()
    .describe('The part of costUsd that comes from the price book; the rest the agents reported.'),
  priceCheck: priceCheck.nullable(),
  requests: z.int(),
  unpricedRequests: z.int().describe('Requests that costUsd does not include.'),
};

export const sessionShape = z.strictObject({
  sessionId: z.string(),
  agent: agentName,
  model: z.string().nullable(),
  state: sessionState,
  ...usage,
  usageSource: z.enum(['requests', 'metrics']).describe('What the usage was counted from.'),
  contextTokens: z.int().nullable(),
  contextWindow: z.int().nullable(),
  contextFill: z.number().min(0).max(1).nullable(),
  startedAt: moment,
  lastActivityAt: moment,
  taskId: z.string().nullable(),
  project: z.string().nullable(),
  team: z.string().nullable(),
  user: z.string().nullable(),
  prompts: z.int(),
  toolCalls: z.int(),
  errors: z.int(),
  retries: z.int(),
  compactions: z.int(),
  subagents: z.int(),
});
export type Session = z.infer<typeof sessionShape>;

export const eventShape = z.strictObject({
  id: z.uuid(),
  stream: z.string(),
  version: z.int(),
  position: z.string().describe('Its place in the log: compare it, never count with it.'),
  type: z.string(),
  schemaVersion: z.int(),
  data: z.record(z.string(), z.unknown()),
  metadata: z.looseObject({
    actor: z.string(),
    source: z.string(),
    occurredAt: z.string(),
    recordedAt: z.string(),
  }),
});

const usagePart = z.strictObject({ key: z.string(), ...usage });
const usageItem = z.strictObject({
  key: z
    .string()
    .describe('Start of the bucket of time, or the name; empty where the agent does not tell it.'),
  label: z
    .string()
    .optional()
    .describe('Of a bucket of time: how people of that time zone call it.'),
  endsAt: moment.optional().describe('Of a bucket of time: where it ends.'),
  agent: agentName.optional().describe('Only by session.'),
  ...usage,
  parts: z.array(usagePart).optional().describe('The same usage by `breakdown`.'),
});
export type UsageItem = z.infer<typeof usageItem>;

function pageOf(item: z.ZodType) {
  return z.strictObject({ items: z.array(item), nextCursor });
}

export const sessionPage = pageOf(sessionShape);
export const eventPage = pageOf(eventShape);
export const usagePage = pageOf(usageItem).extend({
  total: z.strictObject(usage).describe('Of the whole range, whatever the page.'),
});

export const sessionsQuery = z.strictObject({
  agent: agentName.optional(),
  state: sessionState.optional(),
  model: text.optional(),
  project: text.optional(),
  since: time.optional().describe('Only sessions that were active at this time or later.'),
  limit: pageLimit,
  cursor: cursor.optional(),
});
export type SessionsQuery = z.infer<typeof sessionsQuery>;

export const sessionParams = z.strictObject({ id: text });
export const sessionQuery = z.strictObject({
  agent: agentName.optional().describe('Needed only when several agents have this session id.'),
});
export const sessionEventsQuery = sessionQuery.extend({
  limit: pageLimit,
  cursor: cursor.optional(),
});

const breakdowns = [
  'model',
  'provider',
  'agent',
  'session',
  'project',
  'team',
  'user',
  'task',
] as const;
export type UsageBreakdown = (typeof breakdowns)[number];

export const usageCut = z.enum(['minute', 'hour', 'day', 'week', 'month', 'block', ...breakdowns]);
export type UsageCut = z.infer<typeof usageCut>;

/** Which usage: every one that is set has to be met. */
const usageFilter = {
  since: time.optional().describe('Whole minutes: from the one that this lies in.'),
  until: time.optional().describe('Up to and without the minute that this lies in.'),
  agent: agentName.optional(),
  session: text.optional(),
  provider: text.optional(),
  model: text.optional(),
  project: text.optional(),
  team: text.optional(),
  user: text.optional(),
  task: text.optional(),
};

export const usageQuery = z.strictObject({
  by: usageCut.describe('`block`: five hours from the hour of the first use; `week`: from Monday.'),
  breakdown: z.enum(breakdowns).optional().describe('Cuts each group once more.'),
  timezone: text
    .refine(isTimeZone, 'must be a time zone such as Europe/Berlin')
    .default('UTC')
    .describe('Where hours, days, weeks and months begin.'),
  ...usageFilter,
  limit: z.coerce.number().int().min(1).max(limits.usageItemsMax).default(limits.usageItemsMax),
  cursor: cursor.optional(),
});
export type UsageQuery = z.infer<typeof usageQuery>;

const modelComparison = z.strictObject({
  provider: z.string(),
  model: z.string(),
  ...usage,
  costPerRequestUsd: z.string().nullable().describe('Of the requests that have a price.'),
  costPer1kOutputTokensUsd: z.string().nullable().describe('Of the requests that have a price.'),
  latencyMs: z
    .strictObject({ p50: z.int(), p95: z.int() })
    .nullable()
    .describe(
      'From request to the end of the answer, by nearest rank; null: the agent tells none.',
    ),
  failedRequests: z.int().describe('Requests that the agent gave up on.'),
  errorRate: z.number().min(0).max(1).nullable().describe('Of all requests that were made.'),
});
export type ModelComparison = z.infer<typeof modelComparison>;
export const modelComparisons = z.strictObject({ items: z.array(modelComparison) });

export const modelsQuery = z.strictObject(usageFilter);
export type ModelsQuery = z.infer<typeof modelsQuery>;

/** The id of a streamed event. */
export const position = z.string().regex(/^\d{1,18}$/, 'must be a position');

export const streamQuery = z.strictObject({
  after: position
    .optional()
    .describe('Position to go on from; the header Last-Event-ID goes before it. Unset: from now.'),
  session: text.optional(),
  type: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(eventTypes)))
    .optional()
    .describe('One or more event types, comma-separated.'),
});

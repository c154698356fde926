import { z } from 'zod';
import { haltWay, lane, shard, size } from '#eventstore/vocabulary/dispatch.events.js';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { cursor, moment, nextCursor, pageLimit, text } from '#platform/api-shapes.js';

/** What is asked and answered of tasks over HTTP. */

const taskState = z.enum([
  'waiting',
  'ready',
  'delayed',
  'running',
  'paused',
  'completed',
  'cancelled',
  'parked',
]);
const taskAgent = z.union([agentName, z.literal('any')]);
const percent = z.int().min(0).max(100).nullable();

export const taskShape = z.strictObject({
  taskId: z.string(),
  state: taskState,
  reason: z
    .string()
    .nullable()
    .describe(
      'Why it was paused, cancelled or parked, or how its last attempt failed while it is delayed.',
    ),
  halt: z
    .strictObject({
      how: haltWay,
      reason: z.string(),
      holder: z.string().nullable().describe('What keeps it so; null: an operator.'),
    })
    .nullable()
    .describe('Why it is paused, or is about to be while it runs.'),
  conversation: z
    .strictObject({
      sessionId: z.string(),
      agent: agentName,
      host: z.string().describe('Of its worker: only there it can be carried on.'),
      attemptId: z.string().describe('In whose work place it began.'),
    })
    .nullable()
    .describe('What its attempt, or its next one, carries on; null: it begins anew.'),
  agent: taskAgent,
  model: z.string().nullable(),
  lane,
  shard,
  size,
  team: z.string().nullable(),
  project: z.string().nullable(),
  tags: z.array(z.string()),
  directory: z.string().nullable().describe("A folder on the worker's host."),
  repository: z.string().nullable(),
  ref: z.string().nullable(),
  permissionMode: z.string().nullable(),
  allowedTools: z.array(z.string()).describe('What its agent may use without asking.'),
  dependsOn: z.array(z.string()).describe('It waits until each of these has completed.'),
  idempotencyKey: z.string().nullable(),
  promptHash: z.string(),
  promptCharacters: z.int(),
  budgetUsd: z
    .string()
    .nullable()
    .describe('What each attempt reserves, US dollars with nine digits after the point.'),
  maxCostUsd: z
    .string()
    .nullable()
    .describe('What it may cost in all, US dollars with nine digits after the point.'),
  timeoutMs: z.int(),
  retries: z.int().describe('How often it is tried again.'),
  attempts: z.int().describe('How often it was claimed.'),
  submittedAt: moment,
  startedAt: moment.nullable().describe('When it was first claimed.'),
  endedAt: moment.nullable().describe('null while it is open.'),
  attemptId: z.string().nullable().describe('The attempt that runs, or that completed it.'),
  workerId: z.string().nullable().describe('Whose attempt that is.'),
  sessionId: z.string().nullable().describe("The agent's session of that attempt."),
  percent,
  resultHash: z.string().nullable(),
  lateResults: z
    .array(z.strictObject({ attemptId: z.string(), resultHash: z.string() }))
    .describe('What attempts brought after they had lost the task.'),
});
export type TaskAnswer = z.infer<typeof taskShape>;

const attemptEnd = z.enum([
  'completed',
  'failed',
  'timeout',
  'cooled-down',
  'released',
  'halted',
  'lease-expired',
  'stalled',
  'cancelled',
  'parked',
]);
export type AttemptEnd = z.infer<typeof attemptEnd>;

const attemptShape = z.strictObject({
  attemptId: z.string(),
  workerId: z.string(),
  agent: agentName,
  provider: z.string(),
  account: z.string(),
  model: z.string().nullable(),
  stolen: z.boolean().describe("Whether the task was of a shard that is not the worker's own."),
  fencingToken: z.int(),
  claimedAt: moment,
  startedAt: moment.nullable(),
  endedAt: moment.nullable(),
  end: attemptEnd.nullable().describe('null while it runs.'),
  error: z.string().nullable().describe('Why it came to nothing.'),
  sessionId: z.string().nullable(),
  percent,
  waitedMs: z.int().describe('How long the task could have been claimed before.'),
  durationMs: z.int().nullable(),
});
export type AttemptAnswer = z.infer<typeof attemptShape>;

export const taskDetailShape = taskShape.extend({
  attemptList: z.array(attemptShape).describe('The newest attempts, the oldest of them first.'),
});
export type TaskDetail = z.infer<typeof taskDetailShape>;

export const tasksQuery = z.strictObject({
  state: taskState.optional(),
  lane: lane.optional(),
  shard: shard.optional(),
  agent: taskAgent.optional().describe('What was asked for, not who runs it.'),
  team: text.optional(),
  project: text.optional(),
  tag: text.optional(),
  limit: pageLimit,
  cursor: cursor.optional(),
});
export type TasksQuery = z.infer<typeof tasksQuery>;

export const tasksPage = z.strictObject({ items: z.array(taskShape), nextCursor });

const because = z
  .int()
  .nullable()
  .describe(
    'The version of the event that brought it about; null: somebody wanted it, or that is not here.',
  );

export const whyShape = z.strictObject({
  taskId: z.string(),
  state: taskState,
  now: z.array(z.string()).describe('Why it is where it is, each a sentence.'),
  omittedEvents: z.int().describe('Events after the first that the chain leaves out.'),
  chain: z.array(
    z.strictObject({
      version: z.int().describe('Its place in the stream `dispatch`.'),
      at: moment,
      type: z.string(),
      what: z.string(),
      by: z.string().describe('Who caused it.'),
      becauseOf: because,
    }),
  ),
});
export type Why = z.infer<typeof whyShape>;

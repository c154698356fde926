import { z } from 'zod';
import { lane, shard, size } from '#eventstore/vocabulary/dispatch.events.js';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';
import { nanoUsdFromDecimal } from '#kernel/money.js';
import { text } from '#platform/api-shapes.js';

/** What a task is submitted with, and what is answered. */

const place = z.string().min(1).max(limits.freeTextCharactersMax);
const wellFormed = z
  .string()
  .min(1)
  .max(limits.promptCharactersMax)
  .refine((it) => it.isWellFormed(), 'must be whole characters');

/** Nano-dollars. */
const budget = z
  .union([z.string(), z.number().nonnegative()])
  .transform((it, context) => {
    const nanoUsd = nanoUsdFromDecimal(String(it));
    if (nanoUsd !== undefined) return nanoUsd;
    context.addIssue('must be US dollars such as "1.50", with at most nine digits after the point');
    return z.NEVER;
  })
  .describe('US dollars that each attempt reserves against the budgets it falls under.');

/** Nano-dollars. */
const maxCost = z
  .union([z.string(), z.number()])
  .transform((it, context) => {
    const nanoUsd = nanoUsdFromDecimal(String(it));
    const isSound = nanoUsd !== undefined && nanoUsd > 0 && nanoUsd <= limits.taskCostNanoUsdMax;
    if (isSound) return nanoUsd;
    const most = limits.taskCostNanoUsdMax / 1e9;
    context.addIssue(`must be US dollars such as "1.50", more than 0 and at most ${most}`);
    return z.NEVER;
  })
  .describe('US dollars that the task may cost in all; reserved where budgetUsd is not given.');

const tool = z
  .string()
  .min(1)
  .max(limits.identifierCharactersMax)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'must not hold control characters');

export const taskBody = z
  .strictObject({
    prompt: wellFormed.describe('What the agent is to do.'),
    agent: z.union([agentName, z.literal('any')]).default('any'),
    model: text.optional().describe('Left to the agent when not given.'),
    shard: shard.default('impl').describe('The kind of work.'),
    lane: lane.default('normal').describe('The priority.'),
    size: size
      .default('medium')
      .describe('How long the agent may show no progress: 5, 15, 30 min.'),
    directory: place.optional().describe("A folder on the worker's host."),
    repository: place.optional().describe('A git repository to check out, instead of a directory.'),
    ref: text.optional().describe('A branch, tag or commit of the repository.'),
    dependsOn: z
      .array(text)
      .max(limits.dependenciesPerTaskMax)
      .default([])
      .describe('Tasks that must complete first.'),
    team: text.optional(),
    project: text.optional(),
    tags: z.array(text).max(limits.tagsPerTaskMax).default([]),
    budgetUsd: budget.optional(),
    maxCostUsd: maxCost.optional(),
    allowedTools: z
      .array(tool)
      .max(limits.agentToolsAllowedMax)
      .default([])
      .describe('What the agent may use without asking, as its command line names it.'),
    timeoutMs: z
      .int()
      .min(1_000)
      .max(limits.attemptMsMax)
      .default(limits.attemptMsDefault)
      .describe('Of one attempt.'),
    retries: z
      .int()
      .min(0)
      .max(limits.attemptsPerTaskMax - 1)
      .default(limits.retriesDefault)
      .describe('How often it is tried again before it goes to the dead letters.'),
    permissionMode: text.optional().describe("The agent's, as its command line names it."),
    idempotencyKey: text.optional().describe('The same key again is the same task again.'),
  })
  .refine(({ directory, repository }) => directory === undefined || repository === undefined, {
    error: 'give either a directory or a repository',
    path: ['repository'],
  })
  .refine(({ ref, repository }) => ref === undefined || repository !== undefined, {
    error: 'a ref is of a repository: give that, too',
    path: ['ref'],
  });
export type TaskBody = z.infer<typeof taskBody>;

const batchTask = taskBody.safeExtend({
  key: text.optional().describe('By which others of the batch depend on it.'),
});
export const batchBody = z.strictObject({
  tasks: z.array(batchTask).min(1).max(limits.tasksPerBatchMax),
});
export type BatchBody = z.infer<typeof batchBody>;

export const submittedShape = z.strictObject({
  taskId: z.string(),
  created: z.boolean().describe('False: it was submitted before, under its idempotency key.'),
});
export type Submitted = z.infer<typeof submittedShape>;

export const submittedBatchShape = z.strictObject({
  items: z
    .array(submittedShape.extend({ key: z.string().nullable() }))
    .describe('In the order of the batch.'),
});
export type SubmittedBatch = z.infer<typeof submittedBatchShape>;

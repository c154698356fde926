import { z } from 'zod';
import { budgetScope, budgetStep, budgetWindow } from '#eventstore/vocabulary/budgets.events.js';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';
import { cursor, moment, nextCursor, pageLimit, text } from '#platform/api-shapes.js';

/** What is asked and answered of budgets: checked at the door, and described in the API's document. */

export const budgetParams = z.strictObject({ budgetId: text });
/** Ids are words that need no care anywhere. */
export const newBudgetParams = z.strictObject({
  budgetId: z
    .string()
    .max(limits.identifierCharactersMax)
    .regex(/^[A-Za-z0-9][\w.-]*$/, 'must be letters, digits, dots, dashes and underscores'),
});

const scope = budgetScope
  .refine(
    (it) => !it.startsWith('agent:') || agentName.safeParse(it.slice('agent:'.length)).success,
    'must be agent:claude-code, agent:codex or agent:gemini',
  )
  .describe(
    'Whose spend counts: all, or team:, project:, user:, agent:, model:, task:, session: and a name.',
  );

const amount = z.union([z.string().max(limits.identifierCharactersMax), z.number()]);
const limit = {
  limitUsd: amount.optional().describe('US dollars, such as "20.00".'),
  limitTokens: amount.optional().describe('Tokens of all kinds, instead of money.'),
};
const oneLimit = 'must have limitUsd or limitTokens, and not both';
const isOne = (it: { limitUsd?: unknown; limitTokens?: unknown }): boolean =>
  (it.limitUsd === undefined) !== (it.limitTokens === undefined);

const percent = z.int().min(1).max(99).nullable();
const reason = z.string().max(limits.freeTextCharactersMax);
const neededReason = reason.trim().min(1, 'must say why');

export const setBody = z
  .strictObject({
    scope: scope.optional(),
    window: budgetWindow.optional().describe('A day when it is new.'),
    timezone: z
      .string()
      .max(limits.identifierCharactersMax)
      .optional()
      .describe("Whose calendar days, weeks and months follow. The server's when it is new."),
    ...limit,
    thresholds: z
      .strictObject({
        warn: percent.optional(),
        gate: percent.optional(),
        pause: percent.optional(),
      })
      .optional()
      .describe('In percent of the limit; null: no such step. It trips at 100.'),
    reason: reason.default(''),
  })
  .refine((it) => it.limitUsd === undefined || it.limitTokens === undefined, oneLimit)
  .describe('What is left out stays as it is.');
export type SetBody = z.infer<typeof setBody>;

export const raiseBody = z.strictObject({ ...limit, reason: neededReason }).refine(isOne, oneLimit);
export type RaiseBody = z.infer<typeof raiseBody>;

export const reasonBody = z.strictObject({ reason: neededReason });
export type ReasonBody = z.infer<typeof reasonBody>;

const money = z.string().nullable().describe('US dollars with nine digits after the point.');
const count = z.int().nullable();
const limitsShape = { limitUsd: money, limitTokens: count };

export const budgetShape = z.strictObject({
  budgetId: z.string(),
  scope: z.string(),
  window: budgetWindow,
  timezone: z.string(),
  ...limitsShape,
  thresholds: z.strictObject({ warn: percent, gate: percent, pause: percent }),
  origin: z.enum(['default', 'operator', 'task']),
  standing: z
    .enum(['open', ...budgetStep.options, 'unknown'])
    .describe('From gate on nothing of the scope begins; unknown is as shut as gate.'),
  reason: z.string(),
  percent: z.int().nullable().describe('Of the limit, with what is estimated; rounded down.'),
  spentUsd: money.describe('As usage tells it; null: not known at this moment.'),
  spentTokens: count,
  unpricedRequests: count.describe('Requests whose cost nobody knows: spentUsd lacks them.'),
  estimatedUsd: money.describe('What is being spent that no agent has told yet, beside spentUsd.'),
  remainingUsd: money,
  remainingTokens: count,
  windowStart: moment.nullable(),
  windowEnd: moment.nullable(),
});
export type BudgetAnswer = z.infer<typeof budgetShape>;

export const budgetsPage = z.strictObject({ items: z.array(budgetShape), nextCursor });
export const budgetsQuery = z.strictObject({ limit: pageLimit, cursor: cursor.optional() });
export type BudgetsQuery = z.infer<typeof budgetsQuery>;

export const changedShape = budgetShape.extend({
  changed: z.boolean().describe('False: it was so already.'),
  warnings: z.array(z.string()),
});
export type ChangedAnswer = z.infer<typeof changedShape>;

export const historyQuery = z.strictObject({ limit: pageLimit, cursor: cursor.optional() });
export type HistoryQuery = z.infer<typeof historyQuery>;
const historyItem = z.strictObject({
  at: moment,
  type: z.string(),
  actor: z.string(),
  scope: z.string().nullable(),
  step: budgetStep.nullable(),
  percent: z.int().nullable(),
  ...limitsShape,
  spentUsd: money,
  spentTokens: count,
  estimatedUsd: money,
  windowStart: moment.nullable(),
  windowEnd: moment.nullable(),
  reason: z.string().nullable(),
});
export type HistoryItem = z.infer<typeof historyItem>;
export const historyPage = z.strictObject({ items: z.array(historyItem), nextCursor });

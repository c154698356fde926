import { flag, list, maybe, name, number, object, text, type Of } from '../checks.js';

/** What the server answers of budgets, as far as it is read here. */

const budgetFields = {
  budgetId: name,
  scope: text,
  window: text,
  timezone: maybe(text),
  limitUsd: maybe(text),
  limitTokens: maybe(number),
  thresholds: maybe(object({ warn: maybe(number), gate: maybe(number), pause: maybe(number) })),
  origin: maybe(text),
  standing: text,
  reason: maybe(text),
  percent: maybe(number),
  spentUsd: maybe(text),
  spentTokens: maybe(number),
  unpricedRequests: maybe(number),
  estimatedUsd: maybe(text),
  remainingUsd: maybe(text),
  remainingTokens: maybe(number),
  windowStart: maybe(text),
  windowEnd: maybe(text),
};
export const budget = object(budgetFields);
export type Budget = Of<typeof budget>;

export const changed = object({ ...budgetFields, changed: flag, warnings: list(text) });
export type Changed = Of<typeof changed>;

export const past = object({
  at: text,
  type: text,
  actor: text,
  step: maybe(text),
  percent: maybe(number),
  limitUsd: maybe(text),
  limitTokens: maybe(number),
  spentUsd: maybe(text),
  spentTokens: maybe(number),
  reason: maybe(text),
});
export type Past = Of<typeof past>;

import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { count, freeText, identifier, time } from './shapes.events.js';

/**
 * What may be spent, and what happened when it was. Stream: `budgets`, one for all that must be decided
 * together. Amounts are nano-dollars or tokens, as the limit of the budget says.
 */

/** Whose spend counts: everybody's, or that of one team, project, user, agent, model, task or session. */
export const budgetScope = z
  .string()
  .max(limits.scopeCharactersMax)
  .regex(/^(all|(team|project|user|agent|model|task|session):.+)$/s);

/**
 * Over which time it adds up: the last 60 seconds, a block of five hours as providers count them, a day,
 * week or month of a calendar, or for ever.
 */
export const budgetWindow = z.enum(['minute', 'block', 'day', 'week', 'month', 'total']);
export type BudgetWindow = z.infer<typeof budgetWindow>;

const budgetLimit = z.strictObject({
  unit: z.enum(['nanoUsd', 'tokens']),
  amount: z.int().positive(),
});

/** In percent of the limit. A budget without a step leaves it out; it trips at 100. */
const thresholds = z.strictObject({
  warn: z.int().min(1).max(99).nullable(),
  /** From here on nothing new begins. */
  gate: z.int().min(1).max(99).nullable(),
  /** From here on what runs is stopped so that it can go on later. */
  pause: z.int().min(1).max(99).nullable(),
});

/** What crossing a threshold does, the mildest first. */
export const budgetStep = z.enum(['warn', 'gate', 'pause', 'trip']);
export type BudgetStep = z.infer<typeof budgetStep>;

const budget = { budgetId: identifier };

/**
 * How far the window of that moment had come; null = not even to its first step. What it has reached
 * is not told again, and windows before it are let be.
 */
const reached = z.strictObject({ windowStart: time, step: budgetStep.nullable() });

/** Made, or changed. */
const BudgetSet = z.strictObject({
  ...budget,
  scope: budgetScope,
  window: budgetWindow,
  /** Whose calendar days, weeks and months follow: an IANA name. */
  timezone: identifier,
  limit: budgetLimit,
  thresholds,
  /** `task`: what a task may cost, while it is open. */
  origin: z.enum(['default', 'operator', 'task']),
  reason: freeText,
  /** Left out where nothing of this scope and window was watched before. */
  reached: reached.optional(),
});

const BudgetRemoved = z.strictObject({ ...budget, reason: freeText });

/** The window in which it was spent, by the time of the usage. A window of 60 seconds ends with the usage. */
const reading = {
  scope: budgetScope,
  windowStart: time,
  windowEnd: time.nullable(),
  spent: count,
  /** The part of `spent` that no agent has told yet. */
  estimated: count,
  limit: budgetLimit,
};

/** Told once for each step and window. */
const BudgetThresholdCrossed = z.strictObject({
  ...budget,
  step: z.enum(['warn', 'gate', 'pause']),
  percent: count,
  ...reading,
});

/** The money is gone: nothing of the scope runs or begins until an operator resets it. */
const BudgetTripped = z.strictObject({ ...budget, percent: count, ...reading });

/** Its gate, or its pause, holds no longer: another window has begun, or the limit was raised. */
const BudgetEased = z.strictObject({
  ...budget,
  scope: budgetScope,
  reason: freeText,
  /** What holds now, where it is not nothing: a pause may fall back to a gate. */
  to: z.enum(['warn', 'gate']).optional(),
});

const BudgetReset = z.strictObject({
  ...budget,
  scope: budgetScope,
  reason: freeText,
  reached: reached.optional(),
});

export const budgetEvents = {
  BudgetSet: { version: 1, schema: BudgetSet },
  BudgetRemoved: { version: 1, schema: BudgetRemoved },
  BudgetThresholdCrossed: { version: 1, schema: BudgetThresholdCrossed },
  BudgetTripped: { version: 1, schema: BudgetTripped },
  BudgetEased: { version: 1, schema: BudgetEased },
  BudgetReset: { version: 1, schema: BudgetReset },
} as const;

export const BUDGETS_STREAM = 'budgets';

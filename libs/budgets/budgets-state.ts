import type { BudgetStep, BudgetWindow } from '#eventstore/vocabulary/budgets.events.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Fact } from '#kernel/event.js';

/** What is known of budgets by their stream, and what is read of spending beside it. */

/** What an operator sets. */
export interface Budget {
  readonly budgetId: string;
  /** `all`, or `team:core` and the like. */
  readonly scope: string;
  readonly window: BudgetWindow;
  /** IANA name, for windows of a calendar. */
  readonly timezone: string;
  readonly limit: BudgetLimit;
  readonly thresholds: Thresholds;
  readonly origin: DataOf<'BudgetSet'>['origin'];
}

export type BudgetLimit = Readonly<DataOf<'BudgetSet'>['limit']>;
/** In percent of the limit; null = no such step. */
export type Thresholds = Readonly<DataOf<'BudgetSet'>['thresholds']>;
/** A step that stands until the window is another, or the limit. */
type HeldStep = Exclude<BudgetStep, 'warn' | 'trip'>;

/** The strongest step that was told of a window. */
export interface Told {
  readonly startMs: number;
  readonly step: BudgetStep;
}

export interface BudgetState extends Budget {
  /** Of the windows that were told of last, the newest last. */
  readonly told: readonly Told[];
  /** Ended windows that began before are let be: somebody has looked at them. */
  readonly sinceMs: number;
  /** Latched until it is reset. */
  readonly tripped: Pick<DataOf<'BudgetTripped'>, 'spent' | 'estimated' | 'windowStart'> | null;
  /** What was told to hold, and not yet told to have eased. */
  readonly held: HeldStep | null;
}

export interface BudgetsState {
  readonly budgets: ReadonlyMap<string, BudgetState>;
  /** The defaults are given once: who removed them wants none. */
  readonly hadDefaults: boolean;
}

/** What a window of a budget holds, in the unit of its limit. */
export interface Reading {
  readonly budgetId: string;
  readonly windowStartMs: number;
  /** null = it never ends. */
  readonly windowEndMs: number | null;
  /** With what is estimated. */
  readonly spent: number;
  readonly estimated: number;
  /** Of a current window: what counts for easing, which waits for 60 s where a window slides. Else null. */
  readonly heldBy: number | null;
}

export type BudgetEventType =
  | 'BudgetSet'
  | 'BudgetRemoved'
  | 'BudgetThresholdCrossed'
  | 'BudgetTripped'
  | 'BudgetEased'
  | 'BudgetReset';
export type BudgetEvent = { [T in BudgetEventType]: Fact<T, DataOf<T>> }[BudgetEventType];

export const noBudgets: BudgetsState = { budgets: new Map(), hadDefaults: false };

import type { BudgetStep } from '#eventstore/vocabulary/budgets.events.js';
import type { BudgetState } from './budgets-state.js';
import type { BudgetView } from './budgets.js';
import type { Figure } from './spend.js';
import { stepOf, strengthOf, weakerOf } from './steps.js';
import { spentText } from './words.js';

/** What budgets say to those who hold others to them. */

export interface Standing {
  readonly budgetId: string;
  readonly scope: string;
  readonly step: 'open' | BudgetStep;
  readonly reason: string;
  /** Whether what was spent is known at this moment; a trip stands either way. */
  readonly isKnown: boolean;
}

/** What a budget says to claims of its scope. */
export interface ClaimGate {
  readonly scope: string;
  /** Against which claims reserve; null: of tokens, or of a pace, which nobody can reserve. */
  readonly limitNanoUsd: number | null;
  readonly spentNanoUsd: number;
  /** Why nothing of the scope may begin; null = it may. */
  readonly shut: string | null;
}

const NOT_KNOWN = 'it is not known at this moment what was spent';

/** @param figure null = not known: then it is shut as at its gate. */
export function standingOf(budget: BudgetState, figure: Figure | null): Standing {
  const { budgetId, scope, tripped } = budget;
  if (tripped !== null) {
    const reason = `${spentText(budget, tripped.spent)}; it has tripped, and holds until it is reset`;
    return { budgetId, scope, step: 'trip', reason, isKnown: figure !== null };
  }
  if (figure === null) {
    const reason = `Budget ${budgetId}: ${NOT_KNOWN}`;
    return { budgetId, scope, step: 'gate', reason, isKnown: false };
  }
  // What reaches the limit trips in the same breath, or has been reset since.
  const step = weakerOf(stepOf(budget, figure.heldBy), 'pause');
  const reason = spentText(budget, figure.amount);
  return { budgetId, scope, step: step ?? 'open', reason, isKnown: true };
}

/** Those scopes that claims can be told by; others are enforced where the work is done. */
const ofClaims = /^(?:all$|(?:team|project|agent|model):)/;

/** @param isKnown whether all that was spent counts; if not, nothing begins that falls under a budget. */
export function gatesOf(views: readonly BudgetView[] | undefined, isKnown: boolean): ClaimGate[] {
  if (views === undefined) {
    return [{ scope: 'all', limitNanoUsd: null, spentNanoUsd: 0, shut: `Budgets: ${NOT_KNOWN}` }];
  }
  return views
    .filter(({ budget }) => ofClaims.test(budget.scope))
    .map(({ budget, figure }) => {
      const { step, reason } = standingOf(budget, isKnown ? figure : null);
      const isShut = step !== 'open' && strengthOf(step) >= strengthOf('gate');
      const canReserve = budget.limit.unit === 'nanoUsd' && budget.window !== 'minute';
      return {
        scope: budget.scope,
        limitNanoUsd: canReserve ? budget.limit.amount : null,
        spentNanoUsd: canReserve ? (figure?.amount ?? 0) : 0,
        shut: isShut ? reason : null,
      };
    });
}

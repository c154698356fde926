import type { Budget, BudgetLimit } from './budgets-state.js';
import type { SetBody } from './budgets.shapes.js';
import { nanoUsdFromDecimal } from '#kernel/money.js';
import { Refusal } from '#kernel/refusal.js';
import { defaultThresholds } from './steps.js';

/** What an operator asks for, as a budget. */

type LimitWish = Pick<SetBody, 'limitUsd' | 'limitTokens'>;

/** @throws {Refusal} `BUDGET_LIMIT_INVALID` when it is no amount. */
export function limitOf({ limitUsd, limitTokens }: LimitWish): BudgetLimit | undefined {
  if (limitUsd === undefined && limitTokens === undefined) return undefined;
  const amount =
    limitUsd === undefined
      ? wholeNumber(String(limitTokens))
      : nanoUsdFromDecimal(String(limitUsd));
  if (amount !== undefined) return { unit: limitUsd === undefined ? 'tokens' : 'nanoUsd', amount };
  const message =
    'A limit is US dollars such as "20.00", with at most nine digits after the point, or a whole number of tokens.';
  throw new Refusal('BUDGET_LIMIT_INVALID', message);
}

/**
 * The budget that is to be: what is left out stays as it was.
 *
 * @param timezone of a new one
 * @throws {Refusal} `BUDGET_LIMIT_INVALID`
 */
export function budgetWished(
  budgetId: string,
  wish: SetBody,
  before: Budget | undefined,
  timezone: string,
): Budget {
  const limit = limitOf(wish) ?? before?.limit;
  if (limit === undefined) {
    const message = 'A new budget needs a limit: limitUsd or limitTokens.';
    throw new Refusal('BUDGET_LIMIT_INVALID', message);
  }
  const window = wish.window ?? before?.window ?? 'day';
  const isSameWindow = before?.window === window;
  const usual = isSameWindow ? before.thresholds : defaultThresholds(window);
  const { warn = usual.warn, gate = usual.gate, pause = usual.pause } = wish.thresholds ?? {};
  return {
    budgetId,
    scope: wish.scope ?? before?.scope ?? 'all',
    window,
    timezone: wish.timezone ?? before?.timezone ?? timezone,
    limit,
    thresholds: { warn, gate, pause },
    origin: 'operator',
  };
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}

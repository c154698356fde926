import type { Budgets } from '#libs/budgets/budgets.js';
import { Allowances, type Allowance } from '#libs/dispatch/allowances.js';
import type { LivePrices } from '#libs/prices/live-prices.js';
import type { PublishedPrices } from '#kernel/price-shapes.js';

/** What budgets leave, and what requests cost, for workers that may come to be cut off. */
export class AllowancesOfBudgets extends Allowances {
  constructor(
    private readonly budgets: Budgets,
    private readonly prices: LivePrices,
  ) {
    super();
  }

  override of(scopes: ReadonlySet<string>): Allowance | undefined {
    return this.budgets.allowanceOf(scopes);
  }

  override pricesOf(agent: string, provider: string): readonly PublishedPrices[] {
    return this.prices.inForce(agent, provider);
  }
}

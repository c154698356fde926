import type { UsageToPrice } from '#kernel/price-shapes.js';
import type { Costing } from '#kernel/prices.js';

/** Where a context finds prices that another one keeps. A class, so that it is its own injection token. */
export abstract class PriceSource {
  /** What a request costs by the price book as it is now; undefined = no price is known. */
  abstract costOf(usage: UsageToPrice): Costing | undefined;
}

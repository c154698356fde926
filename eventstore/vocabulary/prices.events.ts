import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { count, freeText, identifier, time } from './shapes.events.js';

/** What is known of prices. Streams: `prices` (the price book) and `price-notices`. */

const price = z.strictObject({
  provider: identifier,
  model: identifier,
  tier: identifier,
  promptTokensAbove: count,
  validFrom: time,
  validUntil: time.nullable(),
  nanoUsdPerMillionTokens: z.strictObject({
    input: count.nullable(),
    output: count.nullable(),
    cacheRead: count.nullable(),
    cacheCreation: count.nullable(),
    cacheCreation1h: count.nullable(),
  }),
});

/** Prices that count from now on for what is yet to come in; see libs/kernel/prices.ts. */
const PricesPublished = z.strictObject({
  priceVersion: identifier,
  origin: z.enum(['shipped', 'operator']),
  /** Where the figures were taken from. */
  source: freeText,
  prices: z.array(price).min(1).max(limits.pricesPerPublicationMax),
});

/** Usage of a model came in that has no price: told once per agent, provider and model. */
const PriceMissing = z.strictObject({
  agent: identifier,
  provider: identifier,
  model: identifier,
});

export const priceEvents = {
  PricesPublished: { version: 1, schema: PricesPublished },
  PriceMissing: { version: 1, schema: PriceMissing },
} as const;

export const PRICES_STREAM = 'prices';
export const PRICE_NOTICES_STREAM = 'price-notices';

import { z } from 'zod';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';
import { cursor, moment, nextCursor, pageLimit, text } from '#platform/api-shapes.js';

/** What is asked and answered over HTTP: checked at the door, and described in the API's document. */

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((word) => word === 'true');

export const pricesQuery = z.strictObject({
  model: text.optional().describe('Prices of models whose name has this in it.'),
  provider: text.optional(),
  all: flag.describe('Prices that were superseded, too.'),
  limit: pageLimit,
  cursor: cursor.optional(),
});
export type PricesQuery = z.infer<typeof pricesQuery>;

const rate = z.string().nullable().describe('US dollars with nine digits after the point.');
const priceShape = z.strictObject({
  provider: z.string(),
  model: z.string(),
  tier: z.string(),
  promptTokensAbove: z.int(),
  validFrom: moment,
  validUntil: moment.nullable(),
  usdPerMillionTokens: z
    .strictObject({
      input: rate,
      output: rate,
      cacheRead: rate,
      cacheCreation: rate,
      cacheCreation1h: rate,
    })
    .describe('Null: not known; a request that used such tokens has no price.'),
  origin: z.enum(['shipped', 'operator']),
  priceVersion: z.string(),
  source: z.string().describe('Where the figures were taken from.'),
  superseded: z.boolean().describe('Another price counts wherever this one would.'),
});
export type PriceItem = z.infer<typeof priceShape>;
export const pricesPage = z.strictObject({ items: z.array(priceShape), nextCursor });

export const publishBody = z.strictObject({
  source: z
    .string()
    .max(limits.freeTextCharactersMax)
    .default('')
    .describe('Where the figures were taken from.'),
  prices: z.array(z.unknown()).min(1).max(limits.pricesPerPublicationMax),
});
export type PublishBody = z.infer<typeof publishBody>;

export const publicationShape = z.strictObject({
  priceVersion: z
    .string()
    .nullable()
    .describe('Null: nothing was published, for all that is sound counted already.'),
  accepted: z.int().describe('Entries that count now.'),
  refused: z.array(
    z.strictObject({
      index: z.int().describe('Of the entry, from 0.'),
      reason: z.string(),
      overlaps: z.array(z.int()).describe('Indexes of entries that it overlaps.'),
    }),
  ),
  warnings: z.array(z.string()),
});
export type PublicationAnswer = z.infer<typeof publicationShape>;

export const missingQuery = z.strictObject({
  all: flag.describe('Models that have a price by now, too.'),
  limit: pageLimit,
  cursor: cursor.optional(),
});
export type MissingQuery = z.infer<typeof missingQuery>;

const missingShape = z.strictObject({
  agent: agentName,
  provider: z.string(),
  model: z.string(),
  tier: z.string(),
  firstSeenAt: moment,
  lastSeenAt: moment,
  resolved: z.boolean().describe('The price book has a price for such requests by now.'),
});
export type MissingItem = z.infer<typeof missingShape>;
export const missingPage = z.strictObject({ items: z.array(missingShape), nextCursor });

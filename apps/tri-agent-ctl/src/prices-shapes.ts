import { z } from 'zod';

/** What the server answers of prices: checked with zod, which these rarer commands may load. */

const count = z.number().nonnegative();
const rate = z.string().nullish();
export const price = z.looseObject({
  provider: z.string(),
  model: z.string(),
  tier: z.string(),
  promptTokensAbove: count,
  validFrom: z.string(),
  validUntil: z.string().nullish(),
  usdPerMillionTokens: z.looseObject({
    input: rate,
    output: rate,
    cacheRead: rate,
    cacheCreation: rate,
    cacheCreation1h: rate,
  }),
  origin: z.string(),
  superseded: z.boolean().nullish(),
});
export type Price = z.infer<typeof price>;

export const publication = z.looseObject({
  priceVersion: z.string().nullable(),
  accepted: count,
  refused: z.array(
    z.looseObject({ index: count, reason: z.string(), overlaps: z.array(count).default([]) }),
  ),
  warnings: z.array(z.string()).default([]),
});
export type Publication = z.infer<typeof publication>;

export const missingPrice = z.looseObject({
  agent: z.string(),
  provider: z.string(),
  model: z.string(),
  tier: z.string(),
  lastSeenAt: z.string().nullish(),
  resolved: z.boolean(),
});
export type MissingPrice = z.infer<typeof missingPrice>;

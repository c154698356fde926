import { z } from 'zod';
import { cursor, nextCursor, time } from '#platform/api-shapes.js';
import { moneySum } from './sessions.shapes.js';

/** Computing costs anew by the price book as it is now. */

export const correctionsBody = z.strictObject({
  since: time.describe('Usage from then on.'),
  until: time.optional().describe('Up to and without then.'),
  dryRun: z.boolean().default(false).describe('true: only tell what would change.'),
  cursor: cursor.optional(),
});
export type CorrectionsBody = z.infer<typeof correctionsBody>;

export const correctionsAnswer = z.strictObject({
  checkedRequests: z.int(),
  correctedRequests: z.int().describe('Requests whose computed cost is another one now.'),
  unpricedRequests: z.int().describe('Requests that still have no price.'),
  costDifferenceUsd: moneySum.describe('By which the cost changes; what agents reported stays.'),
  nextCursor: nextCursor.describe('Ask again with it for the rest; null: all is done.'),
});
export type CorrectionsAnswer = z.infer<typeof correctionsAnswer>;

import { z } from 'zod';
import { limits } from '#kernel/limits.js';

/** What the routes of all contexts ask and answer alike. */

export const text = z.string().min(1).max(limits.identifierCharactersMax);
export const cursor = z
  .string()
  .min(1)
  .max(limits.cursorCharactersMax)
  .describe('The nextCursor of the page before.');
export const pageLimit = z.coerce
  .number()
  .int()
  .min(1)
  .max(limits.pageItemsMax)
  .default(limits.pageItemsDefault);
export const nextCursor = z.string().nullable();

/** A time that is asked for. */
export const time = z.iso.datetime({
  offset: true,
  error: 'must be a time such as 2026-11-20T10:00:00Z',
});
/** A time that is answered. */
export const moment = z.iso.datetime().describe('ISO-8601 UTC');

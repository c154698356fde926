import { z } from 'zod';
import { noticeKind } from '#eventstore/vocabulary/notify.events.js';
import { limits } from '#kernel/limits.js';
import { cursor, moment, nextCursor, pageLimit } from '#platform/api-shapes.js';
import { severities } from './notices.policy.js';

/** What is asked and answered over HTTP: checked at the door, and described in the API's document. */

const count = z.int().nonnegative();

const webhookShape = z.strictObject({
  webhookId: z.string(),
  url: z.string(),
  kinds: z.array(noticeKind).describe('None: of every kind.'),
  allowPrivate: z.boolean(),
  state: z.enum(['active', 'disabled']),
  disabledBecause: z.string().nullable(),
  addedAt: moment,
  oldSecretUntil: moment.nullable().describe('Until then it is signed with two secrets.'),
  deliveries: z.strictObject({ pending: count, delivered: count, parked: count }),
  lastDeliveredAt: moment.nullable(),
});
export type WebhookItem = z.infer<typeof webhookShape>;

export const webhooksPage = z.strictObject({ items: z.array(webhookShape), nextCursor });

const secret = z
  .string()
  .max(limits.tokenCharactersMax)
  .optional()
  .describe('whsec_ and 24 to 64 random bytes in base64. One is made when it is left out.');

export const webhookBody = z.strictObject({
  url: z.string().min(1).max(limits.webhookUrlCharactersMax),
  kinds: z
    .array(noticeKind)
    .max(noticeKind.options.length)
    .default([])
    .describe('None: of every kind, also of those that come later.'),
  allowPrivate: z
    .boolean()
    .default(false)
    .describe('It may be on this host or in a private network, and be plain HTTP.'),
  secret,
});
export type WebhookBody = z.infer<typeof webhookBody>;

export const rotateBody = z.strictObject({ secret }).default({});
export const removeBody = z
  .strictObject({ reason: z.string().max(limits.freeTextCharactersMax).default('') })
  .default({ reason: '' });

export const webhookParams = z.strictObject({ webhookId: z.uuid() });

/** It has the secret just once: whoever loses it has it rotated. */
export const withSecretShape = webhookShape.extend({
  secret: z.string().nullable().describe('Told only now. Null: it was given.'),
});
export type WebhookWithSecret = z.infer<typeof withSecretShape>;

export const testShape = z.strictObject({
  delivered: z.boolean(),
  status: z.int().nullable().describe('Null: it did not answer.'),
  reason: z.string(),
  answer: z.string().describe('The beginning of what it answered.'),
  durationMs: count,
});
export type TestOutcome = z.infer<typeof testShape>;

const severity = z.enum(severities);
const deliveryState = z.enum(['pending', 'delivered', 'parked']);

export const noticesQuery = z.strictObject({
  kind: noticeKind.optional(),
  severity: severity.optional(),
  limit: pageLimit,
  cursor: cursor.optional(),
});
export type NoticesQuery = z.infer<typeof noticesQuery>;

const noticeShape = z.strictObject({
  noticeId: z.string(),
  kind: noticeKind,
  severity,
  title: z.string(),
  text: z.string(),
  about: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  occurredAt: moment,
  deliveries: z.array(
    z.strictObject({
      webhookId: z.string(),
      state: deliveryState,
      attempts: count.nullable(),
      reason: z.string().nullable(),
      endedAt: moment.nullable(),
    }),
  ),
});
export type NoticeItem = z.infer<typeof noticeShape>;
export const noticesPage = z.strictObject({ items: z.array(noticeShape), nextCursor });

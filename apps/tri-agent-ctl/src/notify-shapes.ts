import { count, flag, list, maybe, name, object, orNull, text, type Of } from './checks.js';

/** What the server answers of webhooks and notices. */

export const webhook = object({
  webhookId: name,
  url: text,
  kinds: list(text),
  allowPrivate: flag,
  state: text,
  disabledBecause: maybe(text),
  oldSecretUntil: maybe(text),
  deliveries: object({ pending: count, delivered: count, parked: count }),
  lastDeliveredAt: maybe(text),
});
export type Webhook = Of<typeof webhook>;

export const webhookWithSecret = object({
  webhookId: name,
  url: text,
  oldSecretUntil: maybe(text),
  secret: orNull(text),
});
export type WebhookWithSecret = Of<typeof webhookWithSecret>;

export const testOutcome = object({
  delivered: flag,
  status: orNull(count),
  reason: text,
  answer: text,
  durationMs: count,
});

export const notice = object({
  noticeId: name,
  kind: text,
  severity: text,
  title: text,
  text,
  occurredAt: text,
  deliveries: list(object({ webhookId: name, state: text, reason: maybe(text) })),
});
export type Notice = Of<typeof notice>;

import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { count, freeText, time } from './shapes.events.js';

/**
 * Who is told of what happens, and whether it got there. Where notices go stands in the stream `webhooks`;
 * what became of each notice in `notify`. A notice is the event that it tells of: it has its id. What has
 * neither been delivered nor parked is pending, so that the log is the outbox.
 */

export const noticeKind = z.enum([
  'budget.warned',
  'budget.gated',
  'budget.paused',
  'budget.tripped',
  'budget.eased',
  'budget.reset',
  'loop.detected',
  'session.silent',
  'kill.failed',
  'kill.confirmed',
  'task.parked',
]);
export type NoticeKind = z.infer<typeof noticeKind>;

const webhook = { webhookId: z.uuid() };

/** Its secret is not in the log: a file of the data folder has it under this id. */
const secretId = z.uuid();

const WebhookAdded = z.strictObject({
  ...webhook,
  /** Without user information, and with nothing in it that looks like a secret. */
  url: z.string().min(1).max(limits.webhookUrlCharactersMax),
  /** Of these it is told; none = of all, also of kinds that come later. */
  kinds: z.array(noticeKind).max(noticeKind.options.length),
  /** Whether it may be on this host or in a private network, and be plain HTTP. */
  allowPrivate: z.boolean(),
  secretId,
});

const WebhookRemoved = z.strictObject({ ...webhook, reason: freeText });

/** Until then what is sent is signed with the secret of before, too. */
const WebhookSecretRotated = z.strictObject({ ...webhook, secretId, oldSecretUntil: time });

/** It said itself that it is gone: it gets nothing any more. */
const WebhookDisabled = z.strictObject({ ...webhook, reason: freeText });

const delivery = {
  noticeId: z.uuid(),
  ...webhook,
  /** By the process that tells it; what another had tried before it was killed is not known. */
  attempts: count,
};

const NoticeDelivered = z.strictObject(delivery);

/** Given up. */
const NoticeParked = z.strictObject({ ...delivery, reason: freeText });

export const webhookEvents = {
  WebhookAdded: { version: 1, schema: WebhookAdded },
  WebhookRemoved: { version: 1, schema: WebhookRemoved },
  WebhookSecretRotated: { version: 1, schema: WebhookSecretRotated },
  WebhookDisabled: { version: 1, schema: WebhookDisabled },
} as const;

export const notifyEvents = {
  NoticeDelivered: { version: 1, schema: NoticeDelivered },
  NoticeParked: { version: 1, schema: NoticeParked },
} as const;

export const WEBHOOKS_STREAM = 'webhooks';
export const NOTIFY_STREAM = 'notify';

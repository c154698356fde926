import type { NoticeKind } from '#eventstore/vocabulary/notify.events.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Decider } from '#kernel/decider.js';
import type { Fact } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';

/** Where notices go. */

export interface Webhook {
  readonly webhookId: string;
  readonly url: string;
  /** None: every kind. */
  readonly kinds: readonly NoticeKind[];
  readonly allowPrivate: boolean;
  /** The newest first. */
  readonly secrets: readonly SecretUse[];
  /** Why it gets nothing any more; null = it does. */
  readonly disabled: string | null;
}

interface SecretUse {
  readonly secretId: string;
  /** ISO-8601 UTC: signed with until then; null = until it is rotated. */
  readonly until: string | null;
}

/** By their ids. */
export type Webhooks = ReadonlyMap<string, Webhook>;

type WebhookEventType =
  'WebhookAdded' | 'WebhookRemoved' | 'WebhookSecretRotated' | 'WebhookDisabled';
export type WebhookEvent = { [T in WebhookEventType]: Fact<T, DataOf<T>> }[WebhookEventType];

/** What is wanted is what happens, if it may. Webhooks are disabled by what they answer. */
export type WebhookCommand = Exclude<WebhookEvent, { readonly type: 'WebhookDisabled' }>;

export const webhooksDecider: Decider<WebhookCommand, Webhooks, WebhookEvent> = {
  initial: new Map(),

  decide(wanted, webhooks) {
    const { webhookId } = wanted.data;
    if (wanted.type === 'WebhookAdded') mustBeNew(wanted.data, webhooks);
    else if (!webhooks.has(webhookId)) throw notFound(webhookId);
    return [wanted];
  },

  evolve(webhooks, event) {
    const next = new Map(webhooks);
    const { webhookId } = event.data;
    const before = next.get(webhookId);
    if (event.type === 'WebhookAdded') {
      const { secretId, ...rest } = event.data;
      next.set(webhookId, { ...rest, secrets: [{ secretId, until: null }], disabled: null });
    } else if (before === undefined) return webhooks;
    else if (event.type === 'WebhookRemoved') next.delete(webhookId);
    else if (event.type === 'WebhookDisabled') {
      next.set(webhookId, { ...before, disabled: event.data.reason });
    } else {
      const { secretId, oldSecretUntil } = event.data;
      const [old] = before.secrets;
      const kept = old === undefined ? [] : [{ ...old, until: oldSecretUntil }];
      next.set(webhookId, { ...before, secrets: [{ secretId, until: null }, ...kept] });
    }
    return next;
  },
};

export function isTold({ kinds, disabled }: Webhook, kind: NoticeKind): boolean {
  return disabled === null && (kinds.length === 0 || kinds.includes(kind));
}

/** With which secrets a message is signed at this time. */
export function secretsInUse({ secrets }: Webhook, now: string): string[] {
  return secrets
    .filter(({ until }) => until === null || Date.parse(now) < Date.parse(until))
    .map(({ secretId }) => secretId);
}

export function notFound(webhookId: string): Refusal {
  return new Refusal('WEBHOOK_NOT_FOUND', `There is no webhook ${webhookId}.`, { webhookId });
}

function mustBeNew({ url }: DataOf<'WebhookAdded'>, webhooks: Webhooks): void {
  const same = [...webhooks.values()].find((it) => it.url === url && it.disabled === null);
  if (same !== undefined) {
    const { webhookId } = same;
    throw new Refusal(
      'WEBHOOK_EXISTS',
      `Webhook ${webhookId} has this URL already, and would get everything twice. Remove it first.`,
      { webhookId },
    );
  }
  if (webhooks.size >= limits.webhooksMax) {
    throw new Refusal(
      'TOO_MANY_WEBHOOKS',
      `There are ${limits.webhooksMax} webhooks already, which is the limit. Remove one first.`,
    );
  }
}

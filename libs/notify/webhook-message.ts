import { v5 } from 'uuid';
import type { Notice } from './notices.policy.js';
import { signedHeaders } from './signature.js';
import type { WebhookSecrets } from './webhook-secrets.js';
import type { Message } from './webhook-sender.js';
import { secretsInUse, type Webhook } from './webhooks.decider.js';

/** What is told of a notice, or of a test. */
export type Telling = Omit<Notice, 'kind'> & { readonly kind: string };

/**
 * A notice as one webhook gets it: its body is the same whenever it is sent, and so is its id, by which
 * the receiver drops what comes a second time. Undefined when there is no secret to sign it with.
 */
export async function messageFor(
  webhook: Webhook,
  telling: Telling,
  secrets: WebhookSecrets,
  sentAt: Date,
): Promise<Message | undefined> {
  const inUse = secretsInUse(webhook, sentAt.toISOString());
  const known = await Promise.all(inUse.map((secretId) => secrets.read(secretId)));
  const found = known.filter((secret) => secret !== undefined);
  if (found.length === 0) return undefined;
  const { url, allowPrivate, webhookId } = webhook;
  const body = bodyOf(telling);
  const id = v5(telling.noticeId, webhookId);
  return { url, allowPrivate, headers: signedHeaders({ id, sentAt, body }, found), body };
}

function bodyOf({ kind, occurredAt, noticeId, severity, title, text, about }: Telling): string {
  const data = { noticeId, severity, title, text, about };
  return JSON.stringify({ type: kind, timestamp: occurredAt, data });
}

import { randomUUID } from 'node:crypto';
import type { EventLog } from '#eventstore/src/log.js';
import { WEBHOOKS_STREAM, type NoticeKind } from '#eventstore/vocabulary/notify.events.js';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import type { Clock } from '#platform/clock.js';
import { Decisions } from '#platform/decisions.js';
import type { Redactor } from '#platform/redaction.js';
import { faultOfSecret, makeSecret } from './signature.js';
import { messageFor } from './webhook-message.js';
import type { WebhookSecrets } from './webhook-secrets.js';
import type { Outcome, WebhookSender } from './webhook-sender.js';
import { checkUrl } from './webhook-url.policy.js';
import {
  notFound,
  webhooksDecider,
  type Webhook,
  type WebhookCommand,
  type WebhookEvent,
  type Webhooks as Known,
} from './webhooks.decider.js';

export interface WebhookWish {
  readonly url: string;
  readonly kinds: readonly NoticeKind[];
  readonly allowPrivate: boolean;
  /** Undefined: one is made. */
  readonly secret: string | undefined;
}

/** A secret is told when it was made here, and only then. */
export interface Changed {
  readonly webhookId: string;
  readonly secret: string | null;
  /** Where it stands in the log. */
  readonly position: bigint;
}

interface WebhooksParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly redactor: Redactor;
  readonly secrets: WebhookSecrets;
  readonly sender: WebhookSender;
}

/** Webhooks as operators make, change and try them. A class, so that it is its own injection token. */
export class Webhooks {
  private readonly decisions: Decisions<WebhookCommand, Known, WebhookEvent>;

  constructor(private readonly parts: WebhooksParts) {
    this.decisions = new Decisions(parts.log, WEBHOOKS_STREAM, webhooksDecider);
  }

  /** @throws {Refusal} WEBHOOK_REFUSED, WEBHOOK_EXISTS, TOO_MANY_WEBHOOKS */
  async add({ url, kinds, allowPrivate, secret }: WebhookWish): Promise<Changed> {
    const { redactor } = this.parts;
    const checked = checkUrl(url, allowPrivate, (text) => redactor.text(text) !== text);
    if ('fault' in checked) throw refused(checked.fault);
    const webhookId = randomUUID();
    const data = { webhookId, url: checked.url, kinds: [...new Set(kinds)], allowPrivate };
    return this.withSecret(secret, (secretId) => ({
      type: 'WebhookAdded',
      data: { ...data, secretId },
    }));
  }

  /** @throws {Refusal} WEBHOOK_NOT_FOUND */
  async remove(webhookId: string, reason: string): Promise<bigint> {
    const { secrets } = await this.find(webhookId);
    const safe = this.parts.redactor.value(reason);
    const position = await this.decide({
      type: 'WebhookRemoved',
      data: { webhookId, reason: safe },
    });
    await this.parts.secrets.erase(secrets.map(({ secretId }) => secretId));
    return position;
  }

  /**
   * What is sent from now on is signed with another secret, and for a day with the one of before, too.
   *
   * @throws {Refusal} WEBHOOK_NOT_FOUND, WEBHOOK_REFUSED
   */
  async rotate(webhookId: string, secret: string | undefined): Promise<Changed> {
    const [, ...outdated] = (await this.find(webhookId)).secrets;
    const untilMs = this.parts.clock.now() + limits.webhookOldSecretMs;
    const oldSecretUntil = new Date(untilMs).toISOString();
    const changed = await this.withSecret(secret, (secretId) => ({
      type: 'WebhookSecretRotated',
      data: { webhookId, secretId, oldSecretUntil },
    }));
    await this.parts.secrets.erase(outdated.map(({ secretId }) => secretId));
    return changed;
  }

  /**
   * Sends a test, once, and tells what came of it. Nothing of it is kept.
   *
   * @throws {Refusal} WEBHOOK_NOT_FOUND, WEBHOOK_REFUSED when its secret is lost
   */
  async test(webhookId: string): Promise<Outcome> {
    const { clock, secrets, sender } = this.parts;
    const webhook = await this.find(webhookId);
    const now = new Date(clock.now());
    const telling = {
      noticeId: randomUUID(),
      kind: 'webhook.test',
      severity: 'info',
      title: 'A test from tri-agent',
      text: 'Nothing has happened: an operator wanted to see whether this webhook works.',
      occurredAt: now.toISOString(),
      about: { webhookId },
    } as const;
    const message = await messageFor(webhook, telling, secrets, now);
    if (message === undefined) {
      throw refused('Its secret is missing from the data folder. Rotate it to have another made.');
    }
    return sender.send(message);
  }

  private async find(webhookId: string): Promise<Webhook> {
    const webhook = (await this.decisions.catchUp()).get(webhookId);
    if (webhook === undefined) throw notFound(webhookId);
    return webhook;
  }

  /** It is on disk before the log speaks of it, and goes again when the log does not take it. */
  private async withSecret(
    given: string | undefined,
    command: (secretId: string) => WebhookCommand,
  ): Promise<Changed> {
    const fault = given === undefined ? undefined : faultOfSecret(given);
    if (fault !== undefined) throw refused(`The secret cannot be used. ${fault}`);
    const secret = given ?? makeSecret();
    const secretId = randomUUID();
    const wanted = command(secretId);
    await this.parts.secrets.keep(secretId, secret);
    try {
      const position = await this.decide(wanted);
      const { webhookId } = wanted.data;
      return { webhookId, secret: given === undefined ? secret : null, position };
    } catch (error) {
      if (error instanceof Refusal) await this.parts.secrets.erase([secretId]);
      throw error;
    }
  }

  private async decide(command: WebhookCommand): Promise<bigint> {
    const { position } = await this.decisions.decide(command, {
      commandId: null,
      actor: 'operator:api',
      source: 'api',
      occurredAt: new Date(this.parts.clock.now()).toISOString(),
    });
    return position ?? 0n;
  }
}

function refused(reason: string): Refusal {
  return new Refusal('WEBHOOK_REFUSED', reason);
}

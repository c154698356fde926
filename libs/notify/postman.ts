import { setTimeout as delay } from 'node:timers/promises';
import { v5 } from 'uuid';
import type { EventLog } from '#eventstore/src/log.js';
import { streamOf, type DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import type { Clock } from '#platform/clock.js';
import type { Outbox, Pending } from './outbox.policy.js';
import { waitAfter, type RetryTimes } from './retry.policy.js';
import { messageFor } from './webhook-message.js';
import type { WebhookSecrets } from './webhook-secrets.js';
import type { Outcome, WebhookSender } from './webhook-sender.js';
import type { Webhook } from './webhooks.decider.js';

const GONE = 410;

interface PostmanParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly secrets: WebhookSecrets;
  readonly sender: WebhookSender;
  readonly times: RetryTimes;
  readonly outbox: Outbox;
  readonly report: (sentence: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Empties the outbox: each webhook gets one message at a time, and none waits for another webhook. What
 * was delivered, or given up, is in the log before the next message leaves.
 */
export class Postman {
  /** Those that are being sent something, or are being told of. */
  private readonly busy = new Map<string, Promise<void>>();
  private readonly failing = new Set<string>();
  /** Those that said that they are, until the log says so. */
  private readonly gone = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: PostmanParts) {}

  /** Sends what is due, now and as it becomes due. */
  work(): void {
    clearTimeout(this.timer);
    const { outbox, signal } = this.parts;
    if (signal.aborted) return;
    const now = performance.now();
    let wakeAt = Infinity;
    for (const webhook of outbox.active) {
      const { webhookId } = webhook;
      if (this.busy.has(webhookId) || this.gone.has(webhookId)) continue;
      const pending = outbox.due(webhookId, now);
      if (pending !== undefined) this.occupy(webhookId, this.deliver(webhook, pending));
      else wakeAt = Math.min(wakeAt, outbox.nextDueMs(webhookId));
    }
    if (wakeAt === Infinity) return;
    this.timer = setTimeout(() => {
      this.work();
    }, wakeAt - now).unref();
  }

  /** Resolves when nothing is under way any more. */
  async stopped(): Promise<void> {
    clearTimeout(this.timer);
    await Promise.all(this.busy.values());
  }

  private occupy(webhookId: string, task: Promise<void>): void {
    const done = task
      .catch((error: unknown) => {
        // A bug of ours, or a disk that fails: what was to be sent stays in the outbox.
        this.parts.report(`Webhook ${webhookId} is not served: ${reasonOf(error)}`);
        return this.pause();
      })
      .finally(() => {
        this.busy.delete(webhookId);
        this.work();
      });
    this.busy.set(webhookId, done);
  }

  private async deliver(webhook: Webhook, pending: Pending): Promise<void> {
    await this.giveUpOverflow(webhook.webhookId);
    const { outbox, signal } = this.parts;
    const { noticeId } = pending.notice;
    const outcome = await this.send(webhook, pending);
    if (outcome === undefined || (signal.aborted && !outcome.isDelivered)) return;
    pending.attempts += 1;
    const { webhookId } = webhook;
    this.tellOfChange(webhook, outcome);
    const what = { noticeId, webhookId, attempts: pending.attempts };
    if (outcome.isDelivered) {
      await this.record({ type: 'NoticeDelivered', data: what });
    } else if (outcome.status === GONE) {
      this.gone.add(webhookId);
      await this.record({ type: 'NoticeParked', data: { ...what, reason: outcome.reason } });
      const reason = 'It answered 410: it is gone for good.';
      await this.record({ type: 'WebhookDisabled', data: { webhookId, reason } });
    } else if (!this.postpone(pending)) {
      await this.record({ type: 'NoticeParked', data: { ...what, reason: outcome.reason } });
    } else return;
    outbox.settle(webhookId, noticeId);
  }

  private async send(webhook: Webhook, { notice }: Pending): Promise<Outcome | undefined> {
    const { sender, secrets, clock, signal } = this.parts;
    const message = await messageFor(webhook, notice, secrets, new Date(clock.now()));
    if (signal.aborted) return undefined;
    return message === undefined ? withoutSecret : sender.send(message, signal);
  }

  /** Whether it is sent again; when, is noted. After the first failure no jump of the clock counts. */
  private postpone(pending: Pending): boolean {
    const { clock, times } = this.parts;
    const now = performance.now();
    pending.giveUpAtMs ??= now + pending.recordedAtMs + times.forMs - clock.now();
    const leftMs = pending.giveUpAtMs - now;
    const waitMs = waitAfter(pending.attempts, leftMs, Math.random(), times);
    if (waitMs === null) return false;
    pending.dueAtMs = now + waitMs;
    return true;
  }

  private async giveUpOverflow(webhookId: string): Promise<void> {
    const { outbox } = this.parts;
    const reason = `More than ${limits.noticesPendingMax} notices wait for this webhook.`;
    for (const noticeId of outbox.overflowOf(webhookId)) {
      const data = { noticeId, webhookId, attempts: 0, reason };
      if (!(await this.record({ type: 'NoticeParked', data }))) return;
      outbox.settle(webhookId, noticeId);
    }
  }

  /**
   * Tries until the log has it: what was delivered is not sent again because the log could not be
   * written. False when the end came first.
   */
  private async record(fact: Told): Promise<boolean> {
    const { log, clock, signal, report } = this.parts;
    const occurredAt = new Date(clock.now()).toISOString();
    const event = { ...fact, id: idOf(fact), metadata: { ...origin, occurredAt } } as DomainEvent;
    for (let isFirst = true; ; isFirst = false) {
      try {
        await log.append(streamOf(event), 'any', [event]);
        return true;
      } catch (error) {
        if (isFirst) report(`What became of a notice cannot be kept: ${reasonOf(error)}`);
        if (signal.aborted) return false;
        await this.pause();
      }
    }
  }

  /** Once when it begins to fail, and once when it no longer does. */
  private tellOfChange({ webhookId }: Webhook, { isDelivered, reason }: Outcome): void {
    const { report } = this.parts;
    if (isDelivered && this.failing.delete(webhookId)) {
      report(`Webhook ${webhookId} takes notices again.`);
    } else if (!isDelivered && !this.failing.has(webhookId)) {
      this.failing.add(webhookId);
      report(`Webhook ${webhookId} does not take a notice, which is sent again: ${reason}`);
    }
  }

  private async pause(): Promise<void> {
    const { signal } = this.parts;
    await delay(limits.notifierRetryMs, undefined, { signal }).catch(() => undefined);
  }
}

type Told = Pick<
  Extract<DomainEvent, { type: 'NoticeDelivered' | 'NoticeParked' | 'WebhookDisabled' }>,
  'type' | 'data'
>;

const origin = { actor: 'tri-agent', source: 'notifier' };

/** The same whoever tells it, so that it stands in the log once. */
function idOf({ type, data }: Told): string {
  return v5(`${type} ${'noticeId' in data ? data.noticeId : ''}`, data.webhookId);
}

const withoutSecret: Outcome = {
  isDelivered: false,
  status: null,
  reason: 'Its secret is missing from the data folder; rotate it.',
  answer: '',
  durationMs: 0,
};

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

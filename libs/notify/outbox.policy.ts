import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { noticeOf, type Notice } from './notices.policy.js';
import { isTold, webhooksDecider, type Webhook, type Webhooks } from './webhooks.decider.js';

/** A notice that one webhook has yet to get. */
export interface Pending {
  readonly notice: Notice;
  /** When it came into the log, in milliseconds since 1970. */
  readonly recordedAtMs: number;
  /** By the one that sends now. */
  attempts: number;
  /** By the clock of whoever asks what is due. */
  dueAtMs: number;
  /** By the same clock; undefined until it has failed once. */
  giveUpAtMs?: number;
}

/**
 * What the log says is still to be sent, by webhook: every notice since the webhook was made that has
 * neither been delivered nor parked. Fed with the events in their order, it may be fed anew at any
 * time. It changes in place: only whoever sends has it.
 */
export class Outbox {
  private webhooks: Webhooks = webhooksDecider.initial;
  /** By webhook, each in the order of the log. */
  private readonly pending = new Map<string, Map<string, Pending>>();
  private readonly overflown = new Map<string, Set<string>>();

  /** Returns the notice that the event is, if it is one. */
  apply(event: RecordedDomainEvent): Notice | undefined {
    switch (event.type) {
      case 'WebhookAdded':
      case 'WebhookRemoved':
      case 'WebhookSecretRotated':
      case 'WebhookDisabled':
        this.webhooks = webhooksDecider.evolve(this.webhooks, event);
        this.forgetUntold();
        return undefined;
      case 'NoticeDelivered':
      case 'NoticeParked':
        this.settle(event.data.webhookId, event.data.noticeId);
        return undefined;
      default:
        return this.add(event);
    }
  }

  /** Those that get notices. */
  get active(): Webhook[] {
    return [...this.webhooks.values()].filter(({ disabled }) => disabled === null);
  }

  /**
   * What one webhook is to be sent now: of what is due, what was tried least, of that the oldest. So a
   * new notice need not wait behind one that fails, and as long as nothing fails the order is that of
   * the log.
   */
  due(webhookId: string, nowMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const it of this.waiting(webhookId)) {
      if (it.dueAtMs > nowMs) continue;
      if (first === undefined || it.attempts < first.attempts) first = it;
    }
    return first;
  }

  /** When the next of one webhook is due; Infinity = there is none. */
  nextDueMs(webhookId: string): number {
    let soonest = Infinity;
    for (const { dueAtMs } of this.waiting(webhookId)) soonest = Math.min(soonest, dueAtMs);
    return soonest;
  }

  /** It was delivered or parked. */
  settle(webhookId: string, noticeId: string): void {
    this.pending.get(webhookId)?.delete(noticeId);
    this.overflown.get(webhookId)?.delete(noticeId);
  }

  /** What is to be parked because more waits for it than `limits.noticesPendingMax`. */
  overflowOf(webhookId: string): readonly string[] {
    return [...(this.overflown.get(webhookId) ?? [])];
  }

  private waiting(webhookId: string): Iterable<Pending> {
    return this.pending.get(webhookId)?.values() ?? [];
  }

  private add(event: RecordedDomainEvent): Notice | undefined {
    const notice = noticeOf(event);
    if (notice === undefined) return undefined;
    for (const webhook of this.webhooks.values()) {
      if (isTold(webhook, notice.kind)) this.keep(webhook.webhookId, notice, event);
    }
    return notice;
  }

  private keep(webhookId: string, notice: Notice, { metadata }: RecordedDomainEvent): void {
    const waiting = this.pending.get(webhookId) ?? new Map<string, Pending>();
    this.pending.set(webhookId, waiting);
    const recordedAtMs = Date.parse(metadata.recordedAt);
    waiting.set(notice.noticeId, { notice, recordedAtMs, attempts: 0, dueAtMs: 0 });
    const [oldest] = waiting.keys();
    if (waiting.size <= limits.noticesPendingMax || oldest === undefined) return;
    waiting.delete(oldest);
    const left = this.overflown.get(webhookId) ?? new Set();
    this.overflown.set(webhookId, left.add(oldest));
  }

  private forgetUntold(): void {
    const active = new Set(this.active.map(({ webhookId }) => webhookId));
    for (const map of [this.pending, this.overflown]) {
      for (const webhookId of map.keys()) if (!active.has(webhookId)) map.delete(webhookId);
    }
  }
}

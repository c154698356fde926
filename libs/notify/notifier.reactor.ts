import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from '#eventstore/src/log.js';
import { WEBHOOKS_STREAM } from '#eventstore/vocabulary/notify.events.js';
import type { EventType, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import type { Clock } from '#platform/clock.js';
import { SingletonLock } from '#platform/singleton-lock.js';
import type { DesktopNotices } from './desktop.js';
import { noticeTypes } from './notices.policy.js';
import { Outbox } from './outbox.policy.js';
import { Postman } from './postman.js';
import type { WebhookSecrets } from './webhook-secrets.js';
import type { WebhookSender } from './webhook-sender.js';
import { webhooksDecider, type WebhookEvent } from './webhooks.decider.js';
import type { RetryTimes } from './retry.policy.js';

const followed: readonly EventType[] = [
  ...noticeTypes,
  'WebhookAdded',
  'WebhookRemoved',
  'WebhookSecretRotated',
  'WebhookDisabled',
  'NoticeDelivered',
  'NoticeParked',
];

export interface NotifierParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly secrets: WebhookSecrets;
  readonly sender: WebhookSender;
  readonly times: RetryTimes;
  /** Undefined: where there is none, or it is switched off. */
  readonly desktop: DesktopNotices | undefined;
  /** Held by the one that tells on a data folder. */
  readonly lockFile: string;
  /** Is told, once, what keeps it from its work. */
  readonly report: (sentence: string) => void;
}

/**
 * Tells people what the log tells: by webhook, and on the desktop. There is one at work on a data
 * folder; others wait to take its place. What is still to be sent it learns from the log at every
 * start, up to where the log ends, and only then begins to send: reading again sends nothing again.
 */
export class Notifier {
  private readonly ending = new AbortController();
  private readonly outbox = new Outbox();
  private readonly postman: Postman;
  private position = 0n;
  private working: Promise<void> | undefined;
  private reported = '';

  constructor(private readonly parts: NotifierParts) {
    this.postman = new Postman({ ...parts, outbox: this.outbox, signal: this.ending.signal });
  }

  start(): void {
    this.working = this.work();
  }

  /** What is under way is given up, and sent again at the next start. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.working;
    await this.postman.stopped();
  }

  private async work(): Promise<void> {
    const lock = await this.untilAlone();
    if (lock === undefined) return;
    try {
      await this.untilDone(() => this.learn());
      await this.untilDone(() => this.listen());
      // Whoever has the lock next must find what this one has sent in the log.
      await this.postman.stopped();
    } finally {
      lock.release();
    }
  }

  private async untilAlone(): Promise<SingletonLock | undefined> {
    let lock: SingletonLock | undefined;
    while (lock === undefined && !this.ending.signal.aborted) {
      try {
        lock = SingletonLock.acquire(this.parts.lockFile);
      } catch (error) {
        this.complain(error);
      }
      if (lock === undefined) await this.pause();
    }
    return lock;
  }

  /** A log that cannot be read now may be readable later. */
  private async untilDone(task: () => Promise<void>): Promise<void> {
    while (!this.ending.signal.aborted) {
      try {
        await task();
        return;
      } catch (error) {
        this.complain(error);
        await this.pause();
      }
    }
  }

  /** From before the first webhook that there still is: nothing older is to be sent to any. */
  private async learn(): Promise<void> {
    const { log } = this.parts;
    const until = await log.head();
    if (this.position === 0n) this.position = (await this.firstWebhook()) ?? until;
    await this.follow((event) => void this.outbox.apply(event), until);
    if (this.position < until) this.position = until;
  }

  private async listen(): Promise<void> {
    this.postman.work();
    await this.follow((event) => {
      const notice = this.outbox.apply(event);
      if (notice !== undefined) this.parts.desktop?.show(notice, event.metadata.recordedAt);
      this.postman.work();
    });
  }

  private async follow(take: (event: RecordedDomainEvent) => void, until?: bigint): Promise<void> {
    const { signal } = this.ending;
    const options = { signal, types: followed, ...(until !== undefined && { until }) };
    for await (const batch of this.parts.log.follow(this.position, options)) {
      for (const event of batch as RecordedDomainEvent[]) {
        take(event);
        this.position = event.position;
      }
      this.reported = '';
    }
  }

  /** The position before it; undefined when there is none. */
  private async firstWebhook(): Promise<bigint | undefined> {
    const madeAt = new Map<string, bigint>();
    let webhooks = webhooksDecider.initial;
    for (let version = 0; ;) {
      const events = await this.parts.log.read(WEBHOOKS_STREAM, version, limits.followBatchEvents);
      for (const event of events) {
        const fact = event as unknown as WebhookEvent;
        webhooks = webhooksDecider.evolve(webhooks, fact);
        if (fact.type === 'WebhookAdded') madeAt.set(fact.data.webhookId, event.position);
        version = event.version;
      }
      if (events.length < limits.followBatchEvents) break;
    }
    const positions = [...webhooks.keys()].map((webhookId) => madeAt.get(webhookId) ?? 0n);
    if (positions.length === 0) return undefined;
    return positions.reduce((first, it) => (it < first ? it : first)) - 1n;
  }

  private async pause(): Promise<void> {
    const { signal } = this.ending;
    await delay(limits.notifierRetryMs, undefined, { signal, ref: false }).catch(() => undefined);
  }

  private complain(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === this.reported || this.ending.signal.aborted) return;
    this.reported = reason;
    this.parts.report(`Nobody is told of what happens: ${reason}`);
  }
}

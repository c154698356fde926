import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { NOTIFY_STREAM, type NoticeKind } from '#eventstore/vocabulary/notify.events.js';
import {
  streamOf,
  type DataOf,
  type DomainEvent,
  type EventType,
  type RecordedDomainEvent,
} from '#eventstore/vocabulary/vocabulary.js';
import { Clock } from '#platform/clock.js';
import { Redactor } from '#platform/redaction.js';
import { Notifier, type NotifierParts } from './notifier.reactor.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { WebhookSender } from './webhook-sender.js';
import { Webhooks } from './webhooks.js';

/** For specifications: a data folder with a log in memory, and notifiers on it that can be ended. */
export class NotifyHouse {
  readonly folder = mkdtempSync(join(tmpdir(), 'notify-'));
  readonly secrets = new WebhookSecrets(join(this.folder, 'webhook-secrets'));
  readonly reports: string[] = [];
  private readonly waiting = new Set<() => void>();
  readonly webhooks: Webhooks;
  private readonly notifiers: Notifier[] = [];

  constructor(
    readonly log: EventLog = new MemoryLog(),
    readonly clock = new Clock(),
  ) {
    const parts = { log, clock, redactor: new Redactor([]), secrets: this.secrets };
    this.webhooks = new Webhooks({ ...parts, sender: new WebhookSender() });
  }

  /** A webhook on loopback. */
  async webhook(url: string, kinds: NoticeKind[] = []): Promise<{ id: string; secret: string }> {
    const wish = { url, kinds, allowPrivate: true, secret: undefined };
    const { webhookId, secret } = await this.webhooks.add(wish);
    return { id: webhookId, secret: secret ?? '' };
  }

  start(parts: Partial<NotifierParts> = {}): Notifier {
    const notifier = new Notifier({
      log: this.log,
      clock: this.clock,
      secrets: this.secrets,
      sender: new WebhookSender(undefined, 2_000),
      times: { firstMs: 5, maxMs: 20, forMs: 60_000 },
      desktop: undefined,
      lockFile: join(this.folder, 'notifier.lock'),
      report: (sentence) => {
        this.reports.push(sentence);
        for (const wake of this.waiting) wake();
      },
      ...parts,
    });
    this.notifiers.push(notifier);
    notifier.start();
    return notifier;
  }

  /** It happens, and the log says so. Returns the id of the event. */
  async happen<Type extends EventType>(type: Type, data: DataOf<Type>): Promise<string> {
    const id = randomUUID();
    const occurredAt = new Date(this.clock.now()).toISOString();
    const metadata = { actor: 'specification', source: 'specification', occurredAt };
    const event = { id, type, data, metadata } as DomainEvent;
    await this.log.append(streamOf(event), 'any', [event]);
    return id;
  }

  parkTask(taskId: string): Promise<string> {
    return this.happen('TaskParked', { taskId, cause: 'not-retryable', reason: 'no', atMs: 0 });
  }

  async told(): Promise<RecordedDomainEvent[]> {
    return (await this.log.read(NOTIFY_STREAM, 0, 1_000)) as RecordedDomainEvent[];
  }

  /** Resolves with what the log tells of deliveries once it tells of that many. */
  async untilTold(count: number): Promise<RecordedDomainEvent[]> {
    const ending = new AbortController();
    const types = ['NoticeDelivered', 'NoticeParked'];
    const found: RecordedDomainEvent[] = [];
    for await (const batch of this.log.follow(0n, { signal: ending.signal, types })) {
      found.push(...(batch as RecordedDomainEvent[]));
      if (found.length >= count) ending.abort();
    }
    return found;
  }

  /** Resolves once that much was reported. */
  async untilReported(count: number): Promise<void> {
    while (this.reports.length < count) {
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  async stop(): Promise<void> {
    for (const notifier of this.notifiers) await notifier.stop();
    await this.log.close();
    rmSync(this.folder, { recursive: true });
  }
}

import type { Database } from 'better-sqlite3';
import type { NoticeKind } from '#eventstore/vocabulary/notify.events.js';
import type { DataOf, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Projection } from '#platform/projection.js';
import { noticeOf } from './notices.policy.js';

/** What people were told of, by which webhook, and whether it got there. */

const schema = `
  CREATE TABLE notices (
    position INTEGER PRIMARY KEY,
    notice_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    about TEXT NOT NULL,
    occurred_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE notice_webhooks (
    webhook_id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    kinds TEXT NOT NULL,
    allow_private INTEGER NOT NULL,
    added_at TEXT NOT NULL,
    old_secret_until TEXT,
    disabled TEXT
  ) STRICT;
  CREATE TABLE notice_deliveries (
    notice_id TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER,
    reason TEXT,
    ended_at TEXT,
    PRIMARY KEY (notice_id, webhook_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX notice_deliveries_by_webhook ON notice_deliveries (webhook_id, state, ended_at);`;

export const noticesProjection: Projection = {
  name: 'notices',
  version: 1,
  tables: ['notices', 'notice_webhooks', 'notice_deliveries'],
  schema,
  prepare(db) {
    const notice = noticeRows(db);
    const webhook = webhookRows(db);
    const delivery = deliveryRows(db);
    return (event) => {
      const { recordedAt } = event.metadata;
      switch (event.type) {
        case 'WebhookAdded':
          webhook.add(event.data, recordedAt);
          break;
        case 'WebhookSecretRotated':
          webhook.rotate(event.data);
          break;
        case 'WebhookRemoved':
          webhook.remove(event.data.webhookId);
          delivery.giveUp(event.data.webhookId, 'The webhook was removed.', recordedAt);
          break;
        case 'WebhookDisabled':
          webhook.disable(event.data);
          delivery.giveUp(event.data.webhookId, event.data.reason, recordedAt);
          break;
        case 'NoticeDelivered':
          delivery.end('delivered', event.data, null, recordedAt);
          break;
        case 'NoticeParked':
          delivery.end('parked', event.data, event.data.reason, recordedAt);
          break;
        default: {
          const kind = notice.add(event);
          if (kind === undefined) return;
          for (const webhookId of webhook.toldOf(kind)) delivery.begin(event.id, webhookId);
        }
      }
    };
  },
};

function noticeRows(db: Database) {
  const insert = db.prepare(
    `INSERT INTO notices (position, notice_id, kind, severity, title, text, about, occurred_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    add(event: RecordedDomainEvent): NoticeKind | undefined {
      const notice = noticeOf(event);
      if (notice === undefined) return undefined;
      const { noticeId, kind, severity, title, text, about, occurredAt } = notice;
      const words = [title, text, JSON.stringify(about), occurredAt];
      insert.run(event.position, noticeId, kind, severity, ...words);
      return kind;
    },
  };
}

function webhookRows(db: Database) {
  const insert = db.prepare(
    `INSERT INTO notice_webhooks (webhook_id, url, kinds, allow_private, added_at)
     VALUES (?, ?, ?, ?, ?)`,
  );
  const rotate = db.prepare('UPDATE notice_webhooks SET old_secret_until = ? WHERE webhook_id = ?');
  const disable = db.prepare('UPDATE notice_webhooks SET disabled = ? WHERE webhook_id = ?');
  const remove = db.prepare('DELETE FROM notice_webhooks WHERE webhook_id = ?');
  const told = db
    .prepare<[string], string>(
      `SELECT webhook_id FROM notice_webhooks WHERE disabled IS NULL
         AND (kinds = '[]' OR EXISTS (SELECT 1 FROM json_each(kinds) WHERE value = ?))`,
    )
    .pluck();
  return {
    add({ webhookId, url, kinds, allowPrivate }: DataOf<'WebhookAdded'>, addedAt: string): void {
      insert.run(webhookId, url, JSON.stringify(kinds), Number(allowPrivate), addedAt);
    },
    rotate({ webhookId, oldSecretUntil }: DataOf<'WebhookSecretRotated'>): void {
      rotate.run(oldSecretUntil, webhookId);
    },
    disable({ webhookId, reason }: DataOf<'WebhookDisabled'>): void {
      disable.run(reason, webhookId);
    },
    remove(webhookId: string): void {
      remove.run(webhookId);
    },
    toldOf: (kind: NoticeKind): string[] => told.all(kind),
  };
}

function deliveryRows(db: Database) {
  const begin = db.prepare(
    `INSERT INTO notice_deliveries (notice_id, webhook_id, state) VALUES (?, ?, 'pending')`,
  );
  const end = db.prepare(
    `UPDATE notice_deliveries SET state = ?, attempts = ?, reason = ?, ended_at = ?
     WHERE notice_id = ? AND webhook_id = ?`,
  );
  const giveUp = db.prepare(
    `UPDATE notice_deliveries SET state = 'parked', reason = ?, ended_at = ?
     WHERE webhook_id = ? AND state = 'pending'`,
  );
  return {
    begin(noticeId: string, webhookId: string): void {
      begin.run(noticeId, webhookId);
    },
    end(
      state: 'delivered' | 'parked',
      { noticeId, webhookId, attempts }: DataOf<'NoticeDelivered'>,
      reason: string | null,
      endedAt: string,
    ): void {
      end.run(state, attempts, reason, endedAt, noticeId, webhookId);
    },
    giveUp(webhookId: string, reason: string, endedAt: string): void {
      giveUp.run(reason, endedAt, webhookId);
    },
  };
}

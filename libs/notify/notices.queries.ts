import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import { ReadModels, type Prepare } from '#platform/read-models.js';
import { noticesProjection } from './notices.projection.js';
import type { NoticeItem, NoticesQuery, WebhookItem } from './notify.shapes.js';

interface Filter {
  readonly before: bigint;
  readonly kind: string | null;
  readonly severity: string | null;
  readonly limit: number;
}

interface NoticeRow extends Omit<NoticeItem, 'about' | 'deliveries'> {
  readonly position: bigint;
  readonly about: string;
}

interface DeliveryRow extends Omit<NoticeItem['deliveries'][number], 'attempts'> {
  readonly attempts: bigint | null;
}

interface WebhookRow {
  readonly webhookId: string;
  readonly url: string;
  readonly kinds: string;
  readonly allowPrivate: bigint;
  readonly addedAt: string;
  readonly oldSecretUntil: string | null;
  readonly disabled: string | null;
}

interface StateRow {
  readonly state: 'pending' | 'delivered' | 'parked';
  readonly count: bigint;
  readonly newest: string | null;
}

const selectNotices = `
  SELECT position, notice_id AS noticeId, kind, severity, title, text, about,
    occurred_at AS occurredAt
  FROM notices
  WHERE position < @before AND (@kind IS NULL OR kind = @kind)
    AND (@severity IS NULL OR severity = @severity)
  ORDER BY position DESC LIMIT @limit`;

const selectDeliveries = `
  SELECT webhook_id AS webhookId, state, attempts, reason, ended_at AS endedAt
  FROM notice_deliveries WHERE notice_id = ? ORDER BY webhook_id`;

const selectWebhooks = `
  SELECT webhook_id AS webhookId, url, kinds, allow_private AS allowPrivate, added_at AS addedAt,
    old_secret_until AS oldSecretUntil, disabled
  FROM notice_webhooks ORDER BY added_at, webhook_id`;

const selectStates = `
  SELECT state, count(*) AS count, max(ended_at) AS newest
  FROM notice_deliveries WHERE webhook_id = ? GROUP BY state`;

const cursorParts = z.tuple([z.string().regex(/^\d{1,18}$/)]);
const behindAll = 2n ** 62n;

/** What was told and to whom, the newest first; and where notices go. */
@Injectable()
export class NoticesQueries {
  constructor(private readonly models: ReadModels) {}

  list({ kind, severity, limit, cursor }: NoticesQuery): {
    items: NoticeItem[];
    nextCursor: string | null;
  } {
    const before = cursor === undefined ? behindAll : BigInt(decodeCursor(cursor, cursorParts)[0]);
    return this.models.read(noticesProjection, (prepare) => {
      const rows = prepare<[Filter], NoticeRow>(selectNotices).all({
        before,
        kind: kind ?? null,
        severity: severity ?? null,
        limit: limit + 1,
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map((row) => noticeItem(prepare, row)),
        nextCursor:
          rows.length > limit && last !== undefined ? encodeCursor([String(last.position)]) : null,
      };
    });
  }

  /** All of them: their number has a limit. */
  webhooks(): WebhookItem[] {
    return this.models.read(noticesProjection, (prepare) =>
      prepare<[], WebhookRow>(selectWebhooks)
        .all()
        .map((row) => webhookItem(prepare, row)),
    );
  }
}

function noticeItem(prepare: Prepare, row: NoticeRow): NoticeItem {
  const { noticeId, kind, severity, title, text, about, occurredAt } = row;
  const deliveries = prepare<[string], DeliveryRow>(selectDeliveries).all(noticeId);
  return {
    ...{ noticeId, kind, severity, title, text, occurredAt },
    about: JSON.parse(about) as NoticeItem['about'],
    deliveries: deliveries.map(({ attempts, ...rest }) => ({
      ...rest,
      attempts: attempts === null ? null : Number(attempts),
    })),
  };
}

function webhookItem(prepare: Prepare, row: WebhookRow): WebhookItem {
  const { webhookId, url, kinds, allowPrivate, addedAt, oldSecretUntil, disabled } = row;
  const states = prepare<[string], StateRow>(selectStates).all(webhookId);
  const of = (wanted: StateRow['state']) => states.find(({ state }) => state === wanted);
  const countOf = (wanted: StateRow['state']) => Number(of(wanted)?.count ?? 0n);
  return {
    webhookId,
    url,
    kinds: JSON.parse(kinds) as WebhookItem['kinds'],
    allowPrivate: allowPrivate === 1n,
    state: disabled === null ? 'active' : 'disabled',
    disabledBecause: disabled,
    addedAt,
    oldSecretUntil,
    deliveries: {
      pending: countOf('pending'),
      delivered: countOf('delivered'),
      parked: countOf('parked'),
    },
    lastDeliveredAt: of('delivered')?.newest ?? null,
  };
}

import fc from 'fast-check';
import type { NoticeKind } from '#eventstore/vocabulary/notify.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { recorded } from '#platform/projection.specification.js';
import { Outbox } from './outbox.policy.js';

const at = '2026-11-21T01:13:04.000Z';
const uuid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const [one, two] = [uuid(900_001), uuid(900_002)];

const added = (position: number, webhookId: string, kinds: NoticeKind[] = []) =>
  recorded(
    position,
    'WebhookAdded',
    { webhookId, url: 'https://hooks.example.com/', kinds, allowPrivate: false, secretId: uuid(1) },
    at,
  );
const parkedTask = (position: number) =>
  recorded(
    position,
    'TaskParked',
    { taskId: `task-${position}`, cause: 'not-retryable', reason: '', atMs: 0 },
    at,
  );
const eased = (position: number) =>
  recorded(position, 'BudgetEased', { budgetId: 'day', scope: 'all', reason: '' }, at);
const delivered = (position: number, notice: number, webhookId: string) =>
  recorded(position, 'NoticeDelivered', { noticeId: uuid(notice), webhookId, attempts: 1 }, at);
const parkedNotice = (position: number, notice: number, webhookId: string) =>
  recorded(
    position,
    'NoticeParked',
    { noticeId: uuid(notice), webhookId, attempts: 1, reason: 'late' },
    at,
  );

function after(...events: RecordedDomainEvent[]): Outbox {
  const outbox = new Outbox();
  for (const event of events) outbox.apply(event);
  return outbox;
}

/** In which order they are sent while nothing fails. */
function orderOf(outbox: Outbox, webhookId: string): number[] {
  const order: number[] = [];
  for (;;) {
    const next = outbox.due(webhookId, 0);
    if (next === undefined) return order;
    order.push(Number(next.notice.noticeId.slice(-12)));
    outbox.settle(webhookId, next.notice.noticeId);
  }
}

describe('What is still to be sent', () => {
  test('is what has happened since the webhook was made, in the order of the log', () => {
    const outbox = after(parkedTask(1), added(2, one), parkedTask(3), eased(4), parkedTask(5));
    expect(orderOf(outbox, one)).toEqual([3, 4, 5]);
  });

  test('is of the kinds that the webhook is for', () => {
    const outbox = after(added(1, one, ['budget.eased']), parkedTask(2), eased(3));
    expect(orderOf(outbox, one)).toEqual([3]);
  });

  test('is neither what was delivered nor what was parked, webhook by webhook', () => {
    const made = [added(1, one), added(2, two)];
    const happened = [parkedTask(3), parkedTask(4), parkedTask(5)];
    const outbox = after(...made, ...happened, delivered(6, 3, one), parkedNotice(7, 4, two));
    expect(orderOf(outbox, one)).toEqual([4, 5]);
    expect(orderOf(outbox, two)).toEqual([3, 5]);
  });

  test('is nothing for a webhook that was removed or disabled, nor for one never made', () => {
    const events = [added(1, one), added(2, two), parkedTask(3)];
    const gone = { webhookId: one, reason: '' };
    const outbox = after(
      ...events,
      recorded(4, 'WebhookRemoved', gone, at),
      recorded(5, 'WebhookDisabled', { ...gone, webhookId: two }, at),
      parkedTask(6),
    );
    for (const webhookId of [one, two, uuid(5)]) expect(orderOf(outbox, webhookId)).toEqual([]);
    expect(outbox.active).toEqual([]);
  });

  test('comes out the same from every history', () => {
    const step = fc.record({
      what: fc.constantFrom('notice', 'deliver', 'park', 'remove', 'add'),
      whom: fc.constantFrom(one, two),
      which: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const outbox = new Outbox();
        const expected = new Map<string, number[]>();
        steps.forEach(({ what, whom, which }, index) => {
          const position = index + 1;
          const without = (id: number) =>
            expected.set(whom, expected.get(whom)?.filter((it) => it !== id) ?? []);
          if (what === 'add' && !expected.has(whom)) {
            outbox.apply(added(position, whom));
            expected.set(whom, []);
          } else if (what === 'remove') {
            outbox.apply(recorded(position, 'WebhookRemoved', { webhookId: whom, reason: '' }, at));
            expected.delete(whom);
          } else if (what === 'notice') {
            outbox.apply(parkedTask(position));
            for (const waiting of expected.values()) waiting.push(position);
          } else if (expected.has(whom)) {
            const apply = what === 'deliver' ? delivered : parkedNotice;
            outbox.apply(apply(position, which, whom));
            without(which);
          }
        });
        for (const webhookId of [one, two]) {
          expect(orderOf(outbox, webhookId)).toEqual(expected.get(webhookId) ?? []);
        }
      }),
    );
  });
});

describe('What fails', () => {
  test('waits for its time, and lets what is new pass', () => {
    const outbox = after(added(1, one), parkedTask(2), parkedTask(3));
    const first = outbox.due(one, 0)!;
    Object.assign(first, { attempts: 1, dueAtMs: 500 });
    expect(outbox.due(one, 0)?.notice.noticeId).toBe(uuid(3));
    outbox.settle(one, uuid(3));
    expect(outbox.due(one, 499)).toBeUndefined();
    expect(outbox.nextDueMs(one)).toBe(500);
    expect(outbox.due(one, 500)).toBe(first);
    outbox.apply(parkedTask(4));
    expect(outbox.due(one, 500)?.notice.noticeId).toBe(uuid(4));
  });

  test('comes in the order of the log again once all is well', () => {
    const outbox = after(added(1, one), parkedTask(2), parkedTask(3), parkedTask(4));
    for (const id of [2, 3, 4]) {
      const it = outbox.due(one, 0)!;
      expect(it.notice.noticeId).toBe(uuid(id));
      Object.assign(it, { attempts: 1, dueAtMs: 10 - id });
    }
    expect(outbox.due(one, 100)?.notice.noticeId).toBe(uuid(2));
  });
});

test('Of more than the limit the oldest are given up, and nothing else', () => {
  const count = limits.noticesPendingMax + 2;
  const outbox = after(added(1, one));
  for (let index = 0; index < count; index += 1) outbox.apply(parkedTask(2 + index));
  expect(outbox.overflowOf(one)).toEqual([uuid(2), uuid(3)]);
  outbox.settle(one, uuid(2));
  outbox.apply(parkedNotice(5_000, 3, one));
  expect(outbox.overflowOf(one)).toEqual([]);
  expect(orderOf(outbox, one)).toHaveLength(limits.noticesPendingMax);
});

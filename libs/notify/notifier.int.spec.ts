import { LogError } from '#eventstore/src/log.js';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { WEBHOOKS_STREAM } from '#eventstore/vocabulary/notify.events.js';
import { limits } from '#kernel/limits.js';
import { Clock } from '#platform/clock.js';
import { NotifyHouse } from './notifier.spec-helper.js';
import { answering, Receiver } from './receiver.spec-helper.js';
import { whyRefused } from './standard-webhooks.spec-helper.js';
import { WebhookSender } from './webhook-sender.js';

let house: NotifyHouse;
let receivers: Receiver[];
beforeEach(() => {
  house = new NotifyHouse();
  receivers = [];
});
afterEach(async () => {
  await house.stop();
  for (const receiver of receivers) await receiver.stop();
});

async function receiver(...behaviour: Parameters<typeof Receiver.start>): Promise<Receiver> {
  const started = await Receiver.start(...behaviour);
  receivers.push(started);
  return started;
}

describe('A webhook gets', () => {
  test('what happens, signed, in the order of the log, and the log tells that it did', async () => {
    const hook = await receiver();
    const { id, secret } = await house.webhook(hook.url);
    house.start();
    const ids = [];
    for (const task of ['a', 'b', 'c']) ids.push(await house.parkTask(task));
    const told = await house.untilTold(3);
    expect(hook.noticeIds).toEqual(ids);
    for (const request of hook.received) expect(whyRefused(request, secret)).toBeUndefined();
    const expected = ids.map((noticeId) => ({ noticeId, webhookId: id, attempts: 1 }));
    expect(told.map(({ type, data }) => ({ type, data }))).toEqual(
      expected.map((data) => ({ type: 'NoticeDelivered', data })),
    );
  });

  test('what happened while nobody told anything, but nothing from before it was made', async () => {
    const hook = await receiver();
    await house.parkTask('before');
    await house.webhook(hook.url);
    const after = await house.parkTask('after');
    house.start();
    await house.untilTold(1);
    expect(hook.noticeIds).toEqual([after]);
  });

  test('the kinds that it is for', async () => {
    const hook = await receiver();
    await house.webhook(hook.url, ['budget.reset']);
    house.start();
    await house.parkTask('a');
    await house.happen('BudgetReset', { budgetId: 'day', scope: 'all', reason: 'new day' });
    await house.untilTold(1);
    expect(hook.kinds).toEqual(['budget.reset']);
  });

  test('nothing twice, however often the log is read anew', async () => {
    const hook = await receiver();
    await house.webhook(hook.url);
    await house.start().stop();
    for (const task of ['a', 'b']) await house.parkTask(task);
    for (let round = 0; round < 3; round += 1) {
      const notifier = house.start();
      await house.untilTold(2 + round);
      await notifier.stop();
      await house.parkTask(`c${round}`);
    }
    house.start();
    await house.untilTold(5);
    expect(new Set(hook.noticeIds).size).toBe(5);
    expect(hook.received).toHaveLength(5);
  });

  test('the same id and body again when it is not known whether it got it', async () => {
    const hook = await receiver(() => undefined);
    const { secret } = await house.webhook(hook.url);
    await house.parkTask('a');
    const first = house.start();
    await hook.until(1);
    // It got the request, and the answer is lost with the one that asked.
    await first.stop();
    expect(await house.told()).toEqual([]);
    hook.behaviour = answering(200);
    house.start();
    await house.untilTold(1);
    const [one, two] = hook.received;
    expect(two?.headers['webhook-id']).toBe(one?.headers['webhook-id']);
    expect(two?.body).toBe(one?.body);
    expect(whyRefused(two!, secret)).toBeUndefined();
  });

  test('another id than another webhook for the same notice', async () => {
    const [one, two] = [await receiver(), await receiver()];
    await house.webhook(one.url);
    await house.webhook(two.url);
    house.start();
    await house.parkTask('a');
    await house.untilTold(2);
    const ids = [one, two].map((it) => it.received[0]?.headers['webhook-id']);
    expect(new Set(ids).size).toBe(2);
    expect(one.noticeIds).toEqual(two.noticeIds);
  });
});

describe('A webhook that does not take a notice', () => {
  test.each([400, 404, 429, 500, 503])('with %i gets it again until it does', async (status) => {
    const hook = await receiver((request, response, nth) => {
      answering(nth < 4 ? status : 200)(request, response, nth);
    });
    await house.webhook(hook.url);
    house.start();
    await house.parkTask('a');
    const [told] = await house.untilTold(1);
    expect(told).toMatchObject({ type: 'NoticeDelivered', data: { attempts: 4 } });
    expect(new Set(hook.noticeIds).size).toBe(1);
    expect(house.reports).toEqual([
      expect.stringContaining(`is sent again: It answered ${status}.`),
      expect.stringContaining('takes notices again.'),
    ]);
  });

  test('lets what comes after it pass', async () => {
    let poison = '';
    const hook = await receiver((request, response, nth) => {
      answering(poison !== '' && request.body.includes(poison) ? 422 : 200)(request, response, nth);
    });
    await house.webhook(hook.url);
    poison = await house.parkTask('a');
    house.start({ times: { firstMs: 60_000, maxMs: 60_000, forMs: 120_000 } });
    await hook.until(1);
    const good = await house.parkTask('b');
    const [told] = await house.untilTold(1);
    expect(told).toMatchObject({ type: 'NoticeDelivered', data: { noticeId: good } });
  });

  test('for 24 hours does not get it any more, and the log says why', async () => {
    const clock = Object.assign(new Clock(), { now: () => Date.now() + 24 * 60 * 60_000 });
    const hook = await receiver(answering(503));
    await house.webhook(hook.url);
    const noticeId = await house.parkTask('a');
    house.start({ clock, times: { firstMs: 5, maxMs: 5, forMs: 24 * 60 * 60_000 } });
    const [told] = await house.untilTold(1);
    const data = { noticeId, attempts: 1, reason: 'It answered 503.' };
    expect(told).toMatchObject({ type: 'NoticeParked', data });
    hook.behaviour = answering(200);
    const next = await house.parkTask('b');
    expect((await house.untilTold(2))[1]).toMatchObject({ data: { noticeId: next } });
    expect(hook.received).toHaveLength(2);
  });

  test('is tried all that time, although the clock of the host jumps ahead meanwhile', async () => {
    let jumpMs = 0;
    const clock = Object.assign(new Clock(), { now: () => Date.now() + jumpMs });
    const hook = await receiver((request, response, nth) => {
      if (nth === 2) jumpMs = 48 * 60 * 60_000;
      answering(nth < 5 ? 503 : 200)(request, response, nth);
    });
    await house.webhook(hook.url);
    await house.parkTask('a');
    house.start({ clock, times: { firstMs: 5, maxMs: 5, forMs: 24 * 60 * 60_000 } });
    expect((await house.untilTold(1))[0]).toMatchObject({ type: 'NoticeDelivered' });
  });

  test('with 410 is disabled, and gets nothing any more', async () => {
    const [gone, other] = [await receiver(answering(410)), await receiver()];
    const { id } = await house.webhook(gone.url);
    await house.webhook(other.url);
    await house.parkTask('a');
    await house.parkTask('b');
    house.start();
    await house.untilTold(3);
    await house.parkTask('c');
    await house.untilTold(4);
    expect(gone.received).toHaveLength(1);
    expect(other.received).toHaveLength(3);
    const last = (await house.log.read(WEBHOOKS_STREAM, 0, 10)).at(-1);
    expect(last).toMatchObject({ type: 'WebhookDisabled', data: { webhookId: id } });
  });

  test('delays no other', async () => {
    const slow = await receiver(() => undefined);
    const quick = await receiver();
    await house.webhook(slow.url);
    await house.webhook(quick.url);
    house.start({ sender: new WebhookSender(undefined, 60_000) });
    const ids = [];
    for (let task = 0; task < 20; task += 1) ids.push(await house.parkTask(`${task}`));
    await house.untilTold(20);
    expect(quick.noticeIds).toEqual(ids);
    // It has one at a time, and that one is still waiting for its answer.
    expect(slow.received).toHaveLength(1);
  });
});

test('Of more notices than may wait for a webhook the oldest are given up, and the log says so', async () => {
  const hook = await receiver(() => undefined);
  await house.webhook(hook.url);
  const ids = [];
  for (let task = 0; task < limits.noticesPendingMax + 2; task += 1) {
    ids.push(await house.parkTask(`${task}`));
  }
  house.start({ sender: new WebhookSender(undefined, 60_000) });
  const told = await house.untilTold(2);
  const reason = 'More than 1000 notices wait for this webhook.';
  expect(told.map(({ type, data }) => ({ type, data }))).toEqual(
    ids.slice(0, 2).map((noticeId) => ({
      type: 'NoticeParked',
      data: { noticeId, webhookId: expect.any(String) as string, attempts: 0, reason },
    })),
  );
});

describe('Without its secret', () => {
  test('a webhook gets nothing, and all of it once it has another', async () => {
    const hook = await receiver();
    const { id } = await house.webhook(hook.url);
    const [added] = await house.log.read(WEBHOOKS_STREAM, 0, 1);
    await house.secrets.erase([(added!.data as { secretId: string }).secretId]);
    await house.parkTask('a');
    const notifier = house.start();
    await house.untilReported(1);
    expect(house.reports[0]).toContain('Its secret is missing from the data folder; rotate it.');
    const { secret } = await house.webhooks.rotate(id, undefined);
    await house.untilTold(1);
    expect(whyRefused(hook.received[0]!, secret!)).toBeUndefined();
    await notifier.stop();
  });
});

test('While a secret is exchanged for another, a receiver with either takes what comes', async () => {
  const hook = await receiver();
  const { id, secret } = await house.webhook(hook.url);
  house.start();
  const { secret: next } = await house.webhooks.rotate(id, undefined);
  await house.parkTask('a');
  await house.untilTold(1);
  expect(next).not.toBe(secret);
  for (const it of [secret, next!]) expect(whyRefused(hook.received[0]!, it)).toBeUndefined();
});

describe('What was delivered', () => {
  test('is not sent again because the log could not be written for a while', async () => {
    await house.stop();
    const log = new UnwillingLog();
    house = new NotifyHouse(log);
    const hook = await receiver();
    await house.webhook(hook.url);
    await house.parkTask('a');
    log.refusals = 1;
    house.start();
    const [told] = await house.untilTold(1);
    expect(told).toMatchObject({ type: 'NoticeDelivered', data: { attempts: 1 } });
    expect(hook.received).toHaveLength(1);
    expect(house.reports).toEqual([expect.stringContaining('cannot be kept: The disk is full.')]);
  });
});

test('Of two on a data folder one tells, and the other takes its place when it ends', async () => {
  const hook = await receiver();
  await house.webhook(hook.url);
  const first = house.start();
  await house.parkTask('a');
  await house.untilTold(1);
  house.start();
  await house.parkTask('b');
  await house.untilTold(2);
  await first.stop();
  await house.parkTask('c');
  await house.untilTold(3);
  expect(hook.received).toHaveLength(3);
  expect(new Set(hook.noticeIds).size).toBe(3);
});

/** A log whose disk is full that often when it is told of a delivery. */
class UnwillingLog extends MemoryLog {
  refusals = 0;

  override append(...[stream, ...rest]: Parameters<MemoryLog['append']>) {
    if (stream === 'notify' && this.refusals > 0) {
      this.refusals -= 1;
      return Promise.reject(new LogError('LOG_UNAVAILABLE', 'The disk is full.'));
    }
    return super.append(stream, ...rest);
  }
}

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { WEBHOOKS_STREAM } from '#eventstore/vocabulary/notify.events.js';
import { limits } from '#kernel/limits.js';
import { createHttpApp } from '#platform/http-app.js';
import { ReadModels } from '#platform/read-models.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';
import { notify } from './index.js';
import { NotifyHouse } from './notifier.spec-helper.js';
import { noticesPage, testShape, webhooksPage, withSecretShape } from './notify.shapes.js';
import { notifyProjections } from './projections.js';
import { answering, Receiver } from './receiver.spec-helper.js';
import { whyRefused } from './standard-webhooks.spec-helper.js';
import { Webhooks } from './webhooks.js';

let house: NotifyHouse;
let writer: ReadModelsWriter;
let models: ReadModels;
let app: NestFastifyApplication;
let url: string;
const ending = { projector: new AbortController(), done: Promise.resolve() };

beforeEach(async () => {
  house = new NotifyHouse();
  const file = join(house.folder, 'read-models.db');
  writer = ReadModelsWriter.open(file, notifyProjections, 0n, () => undefined);
  models = new ReadModels(file);
  ending.projector = new AbortController();
  ending.done = project();
  app = await createHttpApp({
    controllers: notify.controllers,
    providers: [
      ...notify.providers,
      { provide: Webhooks, useValue: house.webhooks },
      { provide: ReadModels, useValue: models },
    ],
    guard: (_request, _reply, done) => {
      done();
    },
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
  url = `${await app.getUrl()}/api/v1`;
});
afterEach(async () => {
  await app.close();
  ending.projector.abort();
  await ending.done;
  models.close();
  writer.close();
  await house.stop();
});

async function project(): Promise<void> {
  for await (const batch of house.log.follow(0n, { signal: ending.projector.signal })) {
    writer.apply(batch);
  }
}

async function ask(path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const headers = { 'content-type': 'application/json' };
  const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await fetch(`${url}/${path}`, init);
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
}

const list = async () => webhooksPage.parse((await ask('webhooks')).body).items;
const notices = async (query = '') => noticesPage.parse((await ask(`notices${query}`)).body);

async function add(body: object) {
  const answer = await ask('webhooks', body);
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return withSecretShape.parse(answer.body);
}

/** All that is kept but in the files of secrets: the log and the read models. */
async function kept(): Promise<string> {
  const events = await house.log.read(WEBHOOKS_STREAM, 0, 100);
  const files = readdirSync(house.folder).filter((name) => name.startsWith('read-models'));
  const text = files.map((name) => readFileSync(join(house.folder, name), 'latin1')).join('');
  const json = JSON.stringify(events, (_, it: unknown) => (typeof it === 'bigint' ? 0 : it));
  return json + text;
}

describe('A webhook that is added', () => {
  test('tells its secret once, keeps it for its owner alone, and is in the list without it', async () => {
    const made = await add({ url: 'https://hooks.example.com/a', kinds: ['kill.failed'] });
    expect(made).toMatchObject({
      url: 'https://hooks.example.com/a',
      kinds: ['kill.failed'],
      allowPrivate: false,
      state: 'active',
      deliveries: { pending: 0, delivered: 0, parked: 0 },
    });
    const { secret, ...rest } = made;
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
    expect(await list()).toEqual([rest]);
    expect(JSON.stringify((await ask('webhooks')).body)).not.toContain(secret);
    expect(await kept()).not.toContain(secret!.slice(6));
    const folder = join(house.folder, 'webhook-secrets');
    const files = readdirSync(folder);
    expect(files).toHaveLength(1);
    expect(statSync(join(folder, files[0]!)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('may have a secret of its own, which is not told again', async () => {
    const secret = `whsec_${Buffer.alloc(24, 5).toString('base64')}`;
    expect(await add({ url: 'https://hooks.example.com/a', secret })).toHaveProperty(
      'secret',
      null,
    );
    expect(await kept()).not.toContain(secret.slice(6));
  });

  test.each([
    [{ url: 'https://127.0.0.1/' }, 400, 'WEBHOOK_REFUSED'],
    [{ url: 'http://hooks.example.com/' }, 400, 'WEBHOOK_REFUSED'],
    [{ url: 'https://a:b@hooks.example.com/' }, 400, 'WEBHOOK_REFUSED'],
    [{ url: 'https://hooks.example.com/', secret: 'short' }, 400, 'WEBHOOK_REFUSED'],
    [{ url: '' }, 400, 'BAD_REQUEST'],
    [{ url: 'https://hooks.example.com/', kinds: ['all'] }, 400, 'BAD_REQUEST'],
    [{ url: 'https://hooks.example.com/', allowPrivate: 'yes' }, 400, 'BAD_REQUEST'],
    [{ url: 'https://hooks.example.com/', more: 1 }, 400, 'BAD_REQUEST'],
  ])('is refused as %j', async (body, status, code) => {
    expect(await ask('webhooks', body)).toMatchObject({ status, body: { code } });
    expect(await list()).toEqual([]);
  });

  test('is refused when its URL has one, and when there are as many as may be', async () => {
    await add({ url: 'https://hooks.example.com/0' });
    const again = await ask('webhooks', { url: 'https://hooks.example.com:443/0' });
    expect(again).toMatchObject({ status: 409, body: { code: 'WEBHOOK_EXISTS' } });
    for (let index = 1; index < limits.webhooksMax; index += 1) {
      await add({ url: `https://hooks.example.com/${index}` });
    }
    const more = await ask('webhooks', { url: 'https://hooks.example.com/more' });
    expect(more).toMatchObject({ status: 409, body: { code: 'TOO_MANY_WEBHOOKS' } });
    const files = readdirSync(join(house.folder, 'webhook-secrets'));
    expect(files).toHaveLength(limits.webhooksMax);
  });
});

describe('A webhook that is removed', () => {
  test('is gone with its secrets, and what waited for it is given up', async () => {
    const { webhookId } = await add({ url: 'https://hooks.example.com/a' });
    await house.parkTask('a');
    expect(await ask(`webhooks/${webhookId}/remove`, { reason: 'moved' })).toMatchObject({
      status: 204,
    });
    expect(await list()).toEqual([]);
    expect(readdirSync(join(house.folder, 'webhook-secrets'))).toEqual([]);
    const [notice] = (await notices()).items;
    const reason = 'The webhook was removed.';
    expect(notice?.deliveries).toMatchObject([{ webhookId, state: 'parked', reason }]);
  });

  test.each(['remove', 'rotate', 'test'])('is not known to %s', async (verb) => {
    const unknown = await ask(`webhooks/2d1f0a52-3c6b-4c1e-9b7a-6d2f8e4a1c90/${verb}`, {});
    expect(unknown).toMatchObject({ status: 404, body: { code: 'WEBHOOK_NOT_FOUND' } });
    expect(await ask(`webhooks/..%2f..%2ftoken/${verb}`, {})).toMatchObject({ status: 400 });
  });
});

test('A rotated secret is told once, and only the two newest are kept', async () => {
  const { webhookId, secret } = await add({ url: 'https://hooks.example.com/a' });
  const seen = new Set([secret]);
  for (let round = 0; round < 3; round += 1) {
    const { body } = await ask(`webhooks/${webhookId}/rotate`, {});
    const rotated = withSecretShape.parse(body);
    seen.add(rotated.secret);
    expect(Date.parse(rotated.oldSecretUntil ?? '')).toBeGreaterThan(Date.now());
  }
  expect(seen.size).toBe(4);
  expect(readdirSync(join(house.folder, 'webhook-secrets'))).toHaveLength(2);
});

describe('A test', () => {
  test('is sent, signed, and told with what came back', async () => {
    const hook = await Receiver.start(answering(202));
    const { webhookId, secret } = await add({ url: hook.url, allowPrivate: true });
    const { status, body } = await ask(`webhooks/${webhookId}/test`, {});
    expect(status).toBe(200);
    expect(testShape.parse(body)).toMatchObject({
      ...{ delivered: true, status: 202, answer: 'status 202', reason: 'It answered 202.' },
    });
    expect(hook.kinds).toEqual(['webhook.test']);
    expect(whyRefused(hook.received[0]!, secret!)).toBeUndefined();
    expect((await notices()).items).toEqual([]);
    await hook.stop();
  });

  test('of a webhook that nobody answers tells so', async () => {
    const { webhookId } = await add({ url: 'http://127.0.0.1:1/', allowPrivate: true });
    const { body } = await ask(`webhooks/${webhookId}/test`, {});
    expect(testShape.parse(body)).toMatchObject({ delivered: false, status: null });
  });
});

describe('Notices', () => {
  test('are listed, the newest first, with how it stands with each webhook', async () => {
    const [good, bad] = [await Receiver.start(), await Receiver.start(answering(410))];
    const one = await add({ url: good.url, allowPrivate: true });
    const two = await add({ url: bad.url, allowPrivate: true, kinds: ['task.parked'] });
    house.start();
    await house.parkTask('a');
    const told = await house.untilTold(2);
    await house.happen('BudgetReset', { budgetId: 'day', scope: 'all', reason: 'new day' });
    await models.reached(notifyProjections[0]!, (await house.untilTold(3)).at(-1)!.position, 5_000);
    const { items } = await notices();
    expect(items.map(({ kind }) => kind)).toEqual(['budget.reset', 'task.parked']);
    const states = items.map(({ deliveries }) =>
      Object.fromEntries(deliveries.map((it) => [it.webhookId, it.state])),
    );
    expect(states).toEqual([
      { [one.webhookId]: 'delivered' },
      { [one.webhookId]: 'delivered', [two.webhookId]: 'parked' },
    ]);
    expect(told).toHaveLength(2);
    expect(await list()).toMatchObject([
      { webhookId: one.webhookId, deliveries: { pending: 0, delivered: 2, parked: 0 } },
      { state: 'disabled', disabledBecause: 'It answered 410: it is gone for good.' },
    ]);
    await Promise.all([good.stop(), bad.stop()]);
  });

  test('come in pages, and by kind and severity', async () => {
    for (let task = 0; task < 5; task += 1) await house.parkTask(`task-${task}`);
    await house.happen('BudgetEased', { budgetId: 'day', scope: 'all', reason: 'a new day' });
    await models.reached(notifyProjections[0]!, await house.log.head(), 5_000);
    const titles: string[] = [];
    let cursor = '';
    do {
      const page = await notices(`?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      titles.push(...page.items.map(({ title }) => title));
      cursor = page.nextCursor ?? '';
    } while (cursor !== '');
    expect(titles).toHaveLength(6);
    expect(titles.slice(1)).toEqual([4, 3, 2, 1, 0].map((it) => `Task task-${it} is parked`));
    expect((await notices('?kind=budget.eased')).items).toHaveLength(1);
    expect((await notices('?severity=warning&limit=500')).items).toHaveLength(5);
    expect((await ask('notices?cursor=nonsense')).body).toMatchObject({ code: 'BAD_CURSOR' });
    expect((await ask('notices?kind=all')).body).toMatchObject({ code: 'BAD_REQUEST' });
  });
});

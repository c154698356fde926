import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { harmful, hostile } from '../../test/dispatch-samples.js';
import { stubbed } from '../../test/stubbed.spec-helper.js';
import { run } from '../../test/terminal.js';

const stub = stubbed();

const id = '2d1f0a52-3c6b-4c1e-9b7a-6d2f8e4a1c90';
const secret = 'whsec_Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==';
const webhook = (given: Record<string, unknown> = {}) => ({
  webhookId: id,
  url: 'https://hooks.example.com/a',
  kinds: ['kill.failed', 'budget.tripped'],
  allowPrivate: false,
  state: 'active',
  disabledBecause: null,
  addedAt: '2026-11-20T10:00:00.000Z',
  oldSecretUntil: null,
  deliveries: { pending: 2, delivered: 17, parked: 1 },
  lastDeliveredAt: '2026-11-20T11:55:00.000Z',
  ...given,
});

describe('webhooks', () => {
  test('lists where notices go, and how it stands', async () => {
    stub.server.answers['/api/v1/webhooks'] = [webhook()];
    const { exit, out } = await run(stub.env, ['webhooks']);
    expect(exit).toBe(0);
    expect(out).toMatch(
      /2d1f0a52-\S+ +https:\/\/hooks\.example\.com\/a +kill\.failed, budget\.tripped +active +2 +1 +17 +5m\n/,
    );
    const { out: json } = await run(stub.env, ['webhooks', 'list', '--json']);
    expect(JSON.parse(json)).toEqual({ items: [webhook()], nextCursor: null });
  });

  test('says why one is disabled, and how to begin', async () => {
    const disabledBecause = 'It answered 410: it is gone for good.';
    stub.server.answers['/api/v1/webhooks'] = [webhook({ state: 'disabled', disabledBecause })];
    expect((await run(stub.env, ['webhooks'])).err).toContain(
      `${id} is disabled: ${disabledBecause}`,
    );
    stub.server.answers['/api/v1/webhooks'] = [];
    expect((await run(stub.env, ['webhooks'])).out).toContain('webhooks add <url>');
  });

  test('adds one, and tells its secret', async () => {
    stub.server.answers['/api/v1/webhooks'] = { ...webhook(), secret };
    const { exit, out } = await run(stub.env, [
      ...['webhooks', 'add', 'https://hooks.example.com/a'],
      ...['--kind', 'kill.failed', '--kind', 'budget.tripped'],
    ]);
    expect(exit).toBe(0);
    expect(out).toContain(`Its secret, which is told only now: ${secret}\n`);
    const kinds = ['kill.failed', 'budget.tripped'];
    const url = 'https://hooks.example.com/a';
    expect(stub.server.posted).toEqual([{ url, kinds, allowPrivate: false }]);
  });

  test('takes a secret of your own from a file or a pipe, not from the command line', async () => {
    stub.server.answers['/api/v1/webhooks'] = { ...webhook(), secret: null };
    const file = join(stub.home, 'secret');
    await writeFile(file, `${secret}\n`);
    const argv = ['webhooks', 'add', 'http://localhost:9/', '--allow-private', '--secret-file'];
    const { out } = await run(stub.env, [...argv, file]);
    expect(out).not.toContain('whsec_');
    const stdin = async function* () {
      yield await Promise.resolve(Buffer.from(secret));
    };
    await run(stub.env, [...argv, '-'], { stdin });
    const wish = { url: 'http://localhost:9/', kinds: [], allowPrivate: true, secret };
    expect(stub.server.posted).toEqual([wish, wish]);
    const { exit, err } = await run(stub.env, [...argv, join(stub.home, 'nothing')]);
    expect([exit, err]).toEqual([1, expect.stringContaining('cannot be read')]);
  });

  test('rotates, tells until when the old secret counts, and removes', async () => {
    const oldSecretUntil = '2026-11-21T12:00:00.000Z';
    stub.server.answers[`/api/v1/webhooks/${id}/rotate`] = webhook({ oldSecretUntil, secret });
    const { out } = await run(stub.env, ['webhooks', 'rotate', id]);
    expect(out).toContain('until 2026-11-21 12:00:00Z');
    expect(out).toContain(secret);
    const removed = await run(stub.env, ['webhooks', 'remove', id, '--reason', 'moved', '--json']);
    expect(JSON.parse(removed.out)).toEqual({ webhookId: id, removed: true });
    expect(stub.server.posted).toEqual([{}, { reason: 'moved' }]);
  });

  test('tells of a test what came back, and fails when it did not get through', async () => {
    const outcome = { delivered: true, status: 200, reason: 'It answered 200.', durationMs: 12 };
    const route = `/api/v1/webhooks/${id}/test`;
    stub.server.answers[route] = { ...outcome, answer: hostile };
    const good = await run(stub.env, ['webhooks', 'test', id]);
    expect(good.exit).toBe(0);
    expect(good.out).toMatch(/delivered +yes\nwhat came back +It answered 200\.\n/);
    expect(good.out).not.toMatch(harmful);
    stub.server.answers[route] = { ...outcome, delivered: false, status: 500, answer: '' };
    expect((await run(stub.env, ['webhooks', 'test', id])).exit).toBe(1);
    expect((await run(stub.env, ['webhooks', 'test', id, '--json'])).exit).toBe(1);
  });

  test.each(['rotate', 'remove', 'test'])('%s names a webhook that there is not', async (verb) => {
    const refusal = { status: 404, code: 'WEBHOOK_NOT_FOUND', detail: 'There is none.' };
    stub.server.refusals['/api/v1/webhooks/a%2Fb/' + verb] = refusal;
    const { exit, err } = await run(stub.env, ['webhooks', verb, 'a/b']);
    expect(exit).toBe(1);
    expect(err).toContain('There is no webhook "a/b".');
    expect(err).toContain('webhooks list');
  });
});

describe('notices', () => {
  const notice = (given: Record<string, unknown> = {}) => ({
    noticeId: '0199a9c1-7b1d-7c3a-9f00-5f1c2d3e4a5b',
    kind: 'budget.tripped',
    severity: 'critical',
    title: 'Budget day has tripped: 104 %',
    text: 'Spent of everything: $78.00 of $75.00.',
    about: { budgetId: 'day' },
    occurredAt: '2026-11-20T11:55:00.000Z',
    deliveries: [
      { webhookId: id, state: 'parked', attempts: 31, reason: 'It answered 503.', endedAt: null },
    ],
    ...given,
  });

  test('are told with how delivery stands', async () => {
    stub.server.answers['/api/v1/notices'] = [notice()];
    const { exit, out } = await run(stub.env, ['notices', '--severity', 'critical']);
    expect(exit).toBe(0);
    expect(out.split('\n')).toEqual([
      '2026-11-20 11:55:00Z  critical  Budget day has tripped: 104 %',
      '  Spent of everything: $78.00 of $75.00.',
      `  parked: webhook ${id}. It answered 503.`,
      '',
    ]);
    expect(stub.server.requests.at(-1)).toContain('severity=critical');
    const { out: json } = await run(stub.env, ['notices', '--json']);
    expect(JSON.parse(json)).toEqual({ items: [notice()], nextCursor: null });
  });

  test('are harmless, whatever an agent wrote', async () => {
    stub.server.answers['/api/v1/notices'] = [
      notice({ title: hostile, text: hostile, severity: hostile, deliveries: [] }),
    ];
    expect((await run(stub.env, ['notices'])).out).not.toMatch(harmful);
    expect((await run(stub.env, ['notices', '--json'])).out).not.toMatch(harmful);
  });

  test('say so when there are none, or more', async () => {
    stub.server.answers['/api/v1/notices'] = [];
    expect((await run(stub.env, ['notices'])).out).toContain('Nothing has happened');
    stub.server.answers['/api/v1/notices'] = [notice(), notice()];
    expect((await run(stub.env, ['notices', '--limit', '1'])).err).toContain('There are more');
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answering, Receiver } from '#libs/notify/receiver.spec-helper.js';
import { whyRefused } from '#libs/notify/standard-webhooks.spec-helper.js';
import { ServerProcess } from '#platform/server-process.js';
import { runCli } from './cli-process.js';
import { DispatchClient } from './dispatch-client.js';
import { TemporaryHomes, waitUntil } from './support.js';

const homes = new TemporaryHomes();
let servers: ServerProcess[] = [];
let receivers: Receiver[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop('SIGKILL')));
  await Promise.all(receivers.map((receiver) => receiver.stop()));
  [servers, receivers] = [[], []];
});
afterAll(() => {
  homes.removeAll();
});

async function start(home = homes.create()): Promise<ServerProcess> {
  const server = await ServerProcess.start({ home });
  servers.push(server);
  return server;
}

async function receive(behaviour = answering(204)): Promise<Receiver> {
  const receiver = await Receiver.start(behaviour);
  receivers.push(receiver);
  return receiver;
}

/** A task that is parked is what somebody is told of. */
async function parkTask(server: ServerProcess): Promise<string> {
  const operator = DispatchClient.operatorOf(server);
  const taskId = await operator.submit();
  const { status } = await operator.insist(`tasks/${taskId}/park`, { reason: 'a test' });
  expect(status).toBe(200);
  return taskId;
}

async function addWebhook(server: ServerProcess, { url }: Receiver): Promise<{ secret: string }> {
  const argv = ['webhooks', 'add', url, '--allow-private', '--json'];
  const { exit, out } = await runCli(server, argv);
  expect(exit).toBe(0);
  return JSON.parse(out) as { secret: string };
}

const tasksTold = ({ received }: Receiver): Set<string> =>
  new Set(
    received.map(
      ({ body }) => (JSON.parse(body) as { data: { about: { taskId: string } } }).data.about.taskId,
    ),
  );

describe('The built server', () => {
  test('sends a notice again after it was killed, under the same id and truly signed', async () => {
    const hook = await receive(() => undefined);
    const first = await start();
    const { secret } = await addWebhook(first, hook);
    await parkTask(first);
    await hook.until(1);
    await first.stop('SIGKILL');
    hook.behaviour = answering(200);
    const second = await start(first.home);
    await hook.until(2);
    const [one, two] = hook.received;
    expect(two?.headers['webhook-id']).toBe(one?.headers['webhook-id']);
    expect(two?.body).toBe(one?.body);
    for (const request of hook.received) expect(whyRefused(request, secret)).toBeUndefined();
    await waitUntil('its delivery is told', async () => {
      const { out } = await runCli(second, ['notices']);
      return out.includes('delivered: webhook');
    });
  });

  test('loses no notice, whenever it is killed', async () => {
    const hook = await receive();
    let server = await start();
    const { secret } = await addWebhook(server, hook);
    const parked: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const before = hook.received.length;
      for (let task = 0; task < 3; task += 1) parked.push(await parkTask(server));
      // Once at the first of them, once at the second, and so on: between two steps of its work.
      await hook.until(before + round + 1);
      await server.stop('SIGKILL');
      server = await start(server.home);
    }
    await waitUntil('all were told of', () => tasksTold(hook).size === parked.length);
    expect([...tasksTold(hook)].sort()).toEqual(parked.sort());
    for (const request of hook.received) expect(whyRefused(request, secret)).toBeUndefined();
  }, 120_000);

  test('tries a failing webhook again, and lets no other wait for it', async () => {
    const failing = await receive((request, response, nth) => {
      answering(nth === 1 ? 503 : 200)(request, response, nth);
    });
    const [silent, good] = [await receive(() => undefined), await receive()];
    const server = await start();
    for (const receiver of [failing, silent, good]) await addWebhook(server, receiver);
    const parked = [];
    for (let task = 0; task < 5; task += 1) parked.push(await parkTask(server));
    await good.until(parked.length);
    // The silent one still has its first request open, or its second after ten seconds.
    expect(silent.received.length).toBeLessThan(parked.length);
    await waitUntil('the failing one has all', () => failing.received.length > parked.length);
    expect([...tasksTold(failing)].sort()).toEqual(parked.sort());
    expect(server.printed).toContain(
      'does not take a notice, which is sent again: It answered 503.',
    );
  });

  test('tells of no secret, neither on its console nor in its log', async () => {
    const hook = await receive();
    const server = await start();
    const { secret } = await addWebhook(server, hook);
    await parkTask(server);
    await hook.until(1);
    await server.stop();
    const files = readdirSync(server.home).filter((name) => /\.db/.test(name));
    const kept = files.map((name) => readFileSync(join(server.home, name), 'latin1')).join('');
    for (const told of [kept, server.printed]) expect(told).not.toContain(secret.slice(6));
  });
});

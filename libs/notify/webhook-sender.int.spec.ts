import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { answering, Receiver } from './receiver.spec-helper.js';
import { WebhookSender, type Outcome, type Resolve } from './webhook-sender.js';

const body = '{"type":"budget.tripped"}';
const headers = { 'webhook-id': 'one' };

/** Counts connections to loopback, on both families where there are two. */
class Canary {
  connections = 0;
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  port = 0;

  async start(): Promise<void> {
    // All addresses of the host: whatever leads to it is seen.
    const server = createServer((socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
    server.listen(0);
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.servers.push(server);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    for (const server of this.servers) {
      server.close();
      await once(server, 'close');
    }
  }
}

const canary = new Canary();
beforeAll(() => canary.start());
afterAll(() => canary.stop());
beforeEach(() => {
  canary.connections = 0;
});

const v4 = (address: string): LookupAddress => ({ address, family: 4 });
const v6 = (address: string): LookupAddress => ({ address, family: 6 });

/** Names of a network that an attacker answers for; others have no address. */
const zone: Readonly<Record<string, readonly LookupAddress[]>> = {
  'loopback.example': [v4('127.0.0.1')],
  'loopback6.example': [v6('::1')],
  'mapped.example': [v6('::ffff:127.0.0.1')],
  'mapped-hex.example': [v6('::ffff:7f00:1')],
  'compatible.example': [v6('::127.0.0.1')],
  'translated.example': [v6('64:ff9b::7f00:1')],
  'local-translated.example': [v6('64:ff9b:1::7f00:1')],
  'six-to-four.example': [v6('2002:7f00:1::')],
  'zero.example': [v4('0.0.0.0')],
  'zero6.example': [v6('::')],
  'second-zero.example': [v4('0.1.2.3')],
  'private.example': [v4('10.0.0.1')],
  'private-172.example': [v4('172.16.0.1')],
  'private-192.example': [v4('192.168.1.1')],
  'link-local.example': [v4('169.254.169.254')],
  'shared.example': [v4('100.100.100.200')],
  'azure.example': [v4('168.63.129.16')],
  'unique-local.example': [v6('fd00:ec2::254')],
  'link-local6.example': [v6('fe80::1')],
  'multicast.example': [v4('224.0.0.1')],
  'broadcast.example': [v4('255.255.255.255')],
  'mixed.example': [v4('93.184.216.34'), v4('127.0.0.1')],
  'mixed-first.example': [v4('127.0.0.1'), v4('93.184.216.34')],
  localhost: [v4('127.0.0.1'), v6('::1')],
  'localhost.': [v4('127.0.0.1')],
  'a.localhost': [v4('127.0.0.1')],
  'loopback.example.': [v4('127.0.0.1')],
  'odd.example': [v4('no address')],
};

const resolve: Resolve = (hostname) => {
  const found = zone[hostname];
  return found === undefined
    ? Promise.reject(new Error(`getaddrinfo ENOTFOUND ${hostname}`))
    : Promise.resolve(found);
};

const sender = new WebhookSender(resolve);
const send = (url: string, allowPrivate = false): Promise<Outcome> =>
  sender.send({ url, allowPrivate, headers, body });

describe('Nothing reaches this host or its network', () => {
  const names = Object.keys(zone).map((name) => `https://${name}:PORT/`);
  const literals = [
    'https://127.0.0.1:PORT/',
    'https://127.1:PORT/',
    'https://127.0.1:PORT/',
    'https://2130706433:PORT/',
    'https://0x7f000001:PORT/',
    'https://0x7f.0.0.1:PORT/',
    'https://0177.0.0.1:PORT/',
    'https://017700000001:PORT/',
    'https://127.0.0.1.:PORT/',
    'https://127.8.8.8:PORT/',
    'https://0.0.0.0:PORT/',
    'https://0:PORT/',
    'https://[::]:PORT/',
    'https://[::1]:PORT/',
    'https://[0:0:0:0:0:0:0:1]:PORT/',
    'https://[::ffff:127.0.0.1]:PORT/',
    'https://[::ffff:7f00:1]:PORT/',
    'https://[::ffff:0:7f00:1]:PORT/',
    'https://[::127.0.0.1]:PORT/',
    'https://[64:ff9b::127.0.0.1]:PORT/',
    'https://[2002:7f00:1::]:PORT/',
    'https://[fe80::1]:PORT/',
    'https://[fd00::1]:PORT/',
    'https://169.254.169.254:PORT/latest/meta-data/',
    'https://%31%32%37.0.0.1:PORT/',
    'https://１２７.0.0.1:PORT/',
    'https://127。0。0。1:PORT/',
    'https://example.com@127.0.0.1:PORT/',
    'https://127.0.0.1:PORT/#@example.com',
    'https://ⓛocalhost:PORT/',
    'http://127.0.0.1:PORT/',
    'http://loopback.example:PORT/',
  ];

  test('there are many ways to write it', () => {
    expect(names.length + literals.length).toBeGreaterThanOrEqual(40);
  });

  test.each([...names, ...literals])('by %s', async (form) => {
    const outcome = await send(form.replace('PORT', String(canary.port)));
    expect(outcome).toMatchObject({ isDelivered: false, status: null });
    expect(outcome.reason).toMatch(
      /not on the public internet|only for webhooks that may be private/,
    );
    expect(canary.connections).toBe(0);
  });

  test('by a name that means another address the second time', async () => {
    const answers = [[v4('93.184.216.34')], [v4('127.0.0.1')]];
    const beforeConnecting = new AbortController();
    const rebinding = new WebhookSender(() => {
      // The first one is a stranger's, to whom no test speaks.
      beforeConnecting.abort();
      return Promise.resolve(answers.shift() ?? []);
    });
    const url = `https://rebinding.example:${canary.port}/`;
    const message = { url, allowPrivate: false, headers, body };
    const first = await rebinding.send(message, beforeConnecting.signal);
    expect(first.reason).not.toContain('not on the public internet');
    const second = await rebinding.send(message);
    expect(second.reason).toContain('not on the public internet');
    expect(answers).toEqual([]);
    expect(canary.connections).toBe(0);
  });

  test('by a redirect', async () => {
    const to = { location: `http://127.0.0.1:${canary.port}/` };
    for (const status of [301, 302, 303, 307, 308]) {
      const receiver = await Receiver.start(answering(status, to));
      const outcome = await send(receiver.url, true);
      expect(outcome).toMatchObject({ isDelivered: false, status });
      expect(outcome.reason).toContain('redirects are not followed');
      expect(receiver.received).toHaveLength(1);
      await receiver.stop();
    }
    expect(canary.connections).toBe(0);
  });

  test('but where it was allowed', async () => {
    for (const host of ['127.0.0.1', 'loopback.example', 'localhost.']) {
      expect(await send(`http://${host}:${canary.port}/`, true)).toMatchObject({ status: 200 });
    }
    expect(canary.connections).toBe(3);
  });
});

describe('What comes back', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await Receiver.start();
  });
  afterEach(() => receiver.stop());

  test.each([200, 201, 204, 299])('is a delivery with %i', async (status) => {
    receiver.behaviour = answering(status);
    expect(await send(receiver.url, true)).toMatchObject({ isDelivered: true, status });
    expect(receiver.received).toEqual([
      { path: '/hook', body, headers: expect.objectContaining(headers) as object },
    ]);
    expect(receiver.received[0]!.headers).toMatchObject({ 'content-type': 'application/json' });
  });

  test.each([400, 401, 404, 410, 429, 500, 503])('is none with %i', async (status) => {
    receiver.behaviour = answering(status);
    expect(await send(receiver.url, true)).toMatchObject({
      isDelivered: false,
      status,
      reason: `It answered ${status}.`,
      answer: `status ${status}`,
    });
  });

  test('is shown by its beginning, as one harmless line, and no more of it is read', async () => {
    let written = 0;
    receiver.behaviour = (_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(`\u001b[2Jline\n${'x'.repeat(16_000)}`)) {
          written += 16_000;
        }
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    const outcome = await send(receiver.url, true);
    expect(outcome).toMatchObject({ isDelivered: true, status: 200 });
    expect(outcome.answer).toMatch(/^line x+…$/);
    expect(outcome.answer).toHaveLength(500);
    // What the sockets between hold comes on top of what was read.
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });

  test('is a delivery although it never ends: its status was told', async () => {
    const quick = new WebhookSender(resolve, 300);
    receiver.behaviour = (_request, response) => {
      response.writeHead(200).write('half a sen');
    };
    const outcome = await quick.send({ url: receiver.url, allowPrivate: true, headers, body });
    expect(outcome).toMatchObject({ isDelivered: true, status: 200, answer: 'half a sen' });
  });

  test('is nothing when it takes too long', async () => {
    const quick = new WebhookSender(resolve, 300);
    receiver.behaviour = () => undefined;
    const outcome = await quick.send({ url: receiver.url, allowPrivate: true, headers, body });
    const reason = 'It did not answer within 0.3 s.';
    expect(outcome).toMatchObject({ isDelivered: false, status: null, reason });
  });

  test('is nothing when nobody listens, the name has no address, or it speaks no HTTP', async () => {
    const { url } = receiver;
    await receiver.stop();
    expect((await send(url, true)).reason).toContain('ECONNREFUSED');
    receiver = await Receiver.start();
    expect((await send('https://nowhere.example/')).reason).toContain('ENOTFOUND nowhere.example');
    const tls = await send(`https://127.0.0.1:${receiver.port}/`, true);
    expect(tls).toMatchObject({ isDelivered: false, status: null });
  });
});

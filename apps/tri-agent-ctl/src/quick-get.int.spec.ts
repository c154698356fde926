import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { textPieces } from './client.js';
import { quickGet } from './quick-get.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function read(url: string, signal: AbortSignal): Promise<string> {
  let text = '';
  for await (const piece of textPieces(await quickGet(url, { a: 'b' }, signal))) text += piece;
  return text;
}

const ended = new DOMException('No answer in time', 'TimeoutError');

describe('A quick GET', () => {
  test('tells status and text, also where a character is cut by the network', async () => {
    const url = await answering((request, response) => {
      const bytes = Buffer.from(`${request.headers['a'] as string} 😀`);
      response.writeHead(503).write(bytes.subarray(0, 4), () => response.end(bytes.subarray(4)));
    });
    const signal = new AbortController().signal;
    expect(await quickGet(url, {}, signal)).toMatchObject({ ok: false, status: 503, url });
    expect(await read(url, signal)).toBe('b 😀');
  });

  test('ends with the reason why nobody waits any longer, before the answer and within it', async () => {
    for (const begin of [false, true]) {
      const late = new AbortController();
      const url = await answering((_request, response) => {
        if (begin) response.write('some');
        setImmediate(() => {
          late.abort(ended);
        });
      });
      await expect(read(url, late.signal)).rejects.toBe(ended);
    }
  });

  test('names what the system says where nobody answers', async () => {
    const url = await answering(() => undefined);
    servers[0]?.close();
    await expect(read(url, new AbortController().signal)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });
});

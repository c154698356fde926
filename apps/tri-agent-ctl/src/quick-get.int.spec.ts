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

async function read(url: string, signal: AbortSignal): Promise<string | undefined> {
  const answer = await quickGet(url, { a: 'b' }, signal);
  if (answer === undefined) return undefined;
  let text = '';
  for await (const piece of textPieces(answer)) text += piece;
  return text;
}

const never = new AbortController().signal;
const ended = new DOMException('No answer in time', 'TimeoutError');

describe('A quick GET', () => {
  test('tells status and text, also where a character is cut by the network', async () => {
    const url = await answering((request, response) => {
      const bytes = Buffer.from(`${request.headers['a'] as string} 😀`);
      response.writeHead(503, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 4), () => response.end(bytes.subarray(4)));
    });
    expect(await quickGet(url, {}, never)).toMatchObject({ ok: false, status: 503, url });
    expect(await read(url, never)).toBe('b 😀');
  });

  test('leaves to others what comes in pieces, is cut short, or is no HTTP', async () => {
    const inPieces = await answering((_request, response) => {
      response.write('some', () => response.end('more'));
    });
    const cutShort = await answering((_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('some', () => response.socket?.end());
    });
    const noHttp = await answering((request) => request.socket.end('SSH-2.0\r\n\r\n'));
    for (const url of [inPieces, cutShort, noHttp]) expect(await read(url, never)).toBeUndefined();
  });

  test('sends nothing that would end a line of the request', async () => {
    const asked: unknown[] = [];
    const url = await answering((request, response) => {
      asked.push(request.headers);
      response.writeHead(200, { 'content-length': 0 }).end();
    });
    expect(await quickGet(url, { a: 'b\r\nc: d' }, never)).toBeUndefined();
    expect(asked).toEqual([]);
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
    await expect(read(url, never)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });
});

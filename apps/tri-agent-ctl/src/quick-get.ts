import { connect } from 'node:net';
import { limits } from '#kernel/limits.js';

/** What is read of an answer, whoever fetched it. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly url: string;
  readonly body: AsyncIterable<Uint8Array | string> | Iterable<string> | null;
}

/**
 * GET from, or POST JSON to, a server on this machine, for which even loading `node:http` takes longer than the server
 * takes to answer. It understands what our server says: one answer whose length is told. Undefined is
 * whatever else comes back, or has to be asked in another way: `fetch` can ask that again.
 */
export function quickGet(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  return quickly('GET', url, headers, '', signal);
}

/** The same with a body. */
export function quickPost(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const length = String(Buffer.byteLength(body));
  const about = { 'content-type': 'application/json', 'content-length': length };
  return quickly('POST', url, { ...headers, ...about }, body, signal);
}

async function quickly(
  method: 'GET' | 'POST',
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const { hostname, host, port, pathname, search } = new URL(url);
  const lines = Object.entries({ host, connection: 'close', ...headers });
  if (lines.some(([, value]) => !/^[\x20-\x7e]*$/.test(value))) return undefined;
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const request = `${method} ${pathname}${search} HTTP/1.1\r\n${head}\r\n${body}`;
  const to = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), signal };
  const bytes = await exchange(to, request);
  return bytes === undefined ? undefined : answerIn(bytes, url);
}

/** Everything that is sent back; undefined where it has no end. */
function exchange(
  to: { readonly host: string; readonly port: number; readonly signal: AbortSignal },
  request: string,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const socket = connect(to)
      .on('data', (chunk) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes <= limits.answerBytesMax) return;
        resolve(undefined);
        socket.destroy();
      })
      .on('end', () => {
        resolve(Buffer.concat(chunks));
      })
      .on('error', (error) => {
        // An ended wait is told as such, and not as the broken connection that it leaves.
        reject(to.signal.aborted ? (to.signal.reason as Error) : error);
      });
    socket.write(request);
  });
}

/** @param bytes head and body. */
function answerIn(bytes: Buffer, url: string): Answer | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  const head = bytes.toString('latin1', 0, Math.max(0, headEnd));
  const status = Number(/^HTTP\/1\.1 ([2-5]\d\d) /.exec(head)?.[1]);
  const length = Number(/\r\ncontent-length: *(\d{1,15})(?:\r\n|$)/i.exec(head)?.[1]);
  const body = bytes.subarray(headEnd + 4);
  if (Number.isNaN(status) || body.length !== length) return undefined;
  return { ok: status < 300, status, url, body: [body.toString('utf8')] };
}

import { connect, type Socket } from 'node:net';

/** What a load run saw. Latencies are in milliseconds, request written to answer read. */
export interface LoadResult {
  readonly seconds: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly latenciesMs: Float64Array;
}

/**
 * Sends each body once over `connections` keep-alive connections with one request in flight each.
 *
 * A client of plain sockets that prepares every request before the clock starts, because what the
 * client computes meanwhile is taken from the server that it shares the machine with.
 */
export async function postAll(
  port: number,
  path: string,
  bodies: readonly Buffer[],
  connections: number,
): Promise<LoadResult> {
  const requests = bodies.map((body) => requestOf(port, path, body));
  const latenciesMs = new Float64Array(bodies.length);
  const statuses = new Map<number, number>();
  let next = 0;

  const sendUntilDone = (socket: Socket): Promise<void> =>
    new Promise((resolve, reject) => {
      let index = -1;
      let sentAt = 0;
      const send = (): void => {
        index = next++;
        const request = requests[index];
        if (request === undefined) {
          socket.end();
          resolve();
          return;
        }
        sentAt = performance.now();
        socket.write(request);
      };
      socket.on('data', (answer) => {
        latenciesMs[index] = performance.now() - sentAt;
        const status = statusOf(answer);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        send();
      });
      socket.once('error', reject);
      socket.once('end', () => {
        reject(new Error('The server closed a connection.'));
      });
      send();
    });

  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const started = performance.now();
  await Promise.all(sockets.map(sendUntilDone));
  return { seconds: (performance.now() - started) / 1000, statuses, latenciesMs };
}

function requestOf(port: number, path: string, body: Buffer): Buffer {
  const head =
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
    `Content-Type: application/x-protobuf\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Behind "HTTP/1.1 ". The answers to exports are so short that each comes in one piece. */
function statusOf(answer: Buffer): number {
  return Number(answer.toString('latin1', 9, 12));
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** The value below which the given share (0 to 1) of the values lies. */
export function percentile(values: Float64Array, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

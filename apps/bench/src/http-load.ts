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
 * A client of plain sockets, because an HTTP library would cost as much processor time as the server
 * that it shares the machine with.
 */
export async function postAll(
  port: number,
  path: string,
  bodies: readonly Buffer[],
  connections: number,
): Promise<LoadResult> {
  const latenciesMs = new Float64Array(bodies.length);
  const statuses = new Map<number, number>();
  let next = 0;

  const sendUntilDone = async (socket: Socket): Promise<void> => {
    const answers = answersOf(socket);
    for (let index = next++; index < bodies.length; index = next++) {
      const body = bodies[index] ?? Buffer.alloc(0);
      const started = performance.now();
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/x-protobuf\r\n` +
          `Content-Length: ${body.length}\r\n\r\n`,
      );
      socket.write(body);
      const answer = await answers.next();
      const status = answer.done === true ? 0 : answer.value;
      latenciesMs[index] = performance.now() - started;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    socket.end();
  };

  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const started = performance.now();
  await Promise.all(sockets.map(sendUntilDone));
  return { seconds: (performance.now() - started) / 1000, statuses, latenciesMs };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** The status of each answer on a connection. Answers carry a content-length, as this server's do. */
async function* answersOf(socket: Socket): AsyncGenerator<number, void> {
  let unread = '';
  for await (const chunk of socket) {
    unread += (chunk as Buffer).toString('latin1');
    for (;;) {
      const headerEnd = unread.indexOf('\r\n\r\n');
      if (headerEnd < 0) break;
      const length = Number(/content-length: (\d+)/i.exec(unread.slice(0, headerEnd))?.[1] ?? 0);
      if (unread.length < headerEnd + 4 + length) break;
      const status = Number(unread.slice(9, 12));
      unread = unread.slice(headerEnd + 4 + length);
      yield status;
    }
  }
}

/** The value below which the given share (0 to 1) of the values lies. */
export function percentile(values: Float64Array, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

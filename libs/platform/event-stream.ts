import type { Writable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** Lets what was written go out before more is read, but not for ever. */
interface StreamLimits {
  readonly heartbeatMs: number;
  readonly stuckMs: number;
}

/**
 * Answers with a stream of server-sent events, begun with a comment so that it is open at the reader's
 * end before anything happens.
 *
 * @returns false when only the head was asked for, and has been answered.
 */
export function openEventStream(reply: FastifyReply, comment = 'open'): boolean {
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // A stream that has ended leaves nothing to wait for when the server stops.
    connection: 'close',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    ...corsHeaders(reply),
  });
  // Who asks for the head alone would never read what follows, nor end it.
  if (reply.request.method === 'HEAD') {
    reply.raw.end();
    return false;
  }
  reply.raw.write(`: ${comment}\n\n`);
  return true;
}

/** What the guard said to a page of another origin; a hijacked reply would leave it out. */
function corsHeaders(reply: FastifyReply): Record<string, string> {
  const origin = reply.getHeader('access-control-allow-origin');
  return typeof origin === 'string'
    ? { 'access-control-allow-origin': origin, vary: 'origin' }
    : {};
}

/**
 * Writes server-sent events until the source ends, the reader is gone, or it has not taken anything
 * for `stuckMs`. A reader that wants to go on later says which event it saw last.
 *
 * @param stop is called when the reader is gone or stuck, and must make the source end.
 */
export async function writeEventStream(
  chunks: AsyncIterable<string>,
  out: Writable,
  stop: () => void,
  { heartbeatMs, stuckMs }: StreamLimits,
): Promise<void> {
  out.once('close', stop);
  out.once('error', stop);
  // The reader may have left before it was listened to.
  if (out.destroyed) stop();
  const heartbeat = setInterval(() => {
    // A comment keeps proxies from closing the connection, and finds out that the reader is gone.
    if (!out.writableNeedDrain) out.write(': heartbeat\n\n');
  }, heartbeatMs);
  try {
    for await (const chunk of chunks) {
      if (out.destroyed) break;
      if (out.write(chunk)) continue;
      if (!(await drained(out, stuckMs))) break;
    }
  } finally {
    clearInterval(heartbeat);
    stop();
    if (out.writableNeedDrain) out.destroy();
    else out.end();
  }
}

/** False when the reader took nothing for that long, or went away. */
function drained(out: Writable, stuckMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (taken: boolean) => {
      clearTimeout(timer);
      out.off('drain', onDrain);
      out.off('close', onClose);
      resolve(taken);
    };
    const onDrain = () => {
      settle(true);
    };
    const onClose = () => {
      settle(false);
    };
    const timer = setTimeout(onClose, stuckMs);
    out.once('drain', onDrain);
    out.once('close', onClose);
    if (out.destroyed) settle(false);
  });
}

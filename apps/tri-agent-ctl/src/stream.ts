import { setTimeout as wait } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { limits } from '#kernel/limits.js';
import { parseJson, textPieces, type Asker } from './client.js';
import { Failure } from './failure.js';
import * as shapes from './shapes.js';

export interface StreamWish {
  readonly session?: string | undefined;
  readonly type?: string | undefined;
  /** Only events after this position; without it, only those that are still to come. */
  readonly after?: string | undefined;
}

/**
 * Events of the server's stream as they come, for as long as the signal allows. A connection that
 * breaks is made again from the last event seen, with a word to `note`; only the first one has to work.
 */
export async function* followEvents(
  client: Asker,
  wish: StreamWish,
  signal: AbortSignal,
  note: (text: string) => void,
): AsyncGenerator<shapes.LogEvent> {
  let lastPosition = wish.after ?? (await headOf(client));
  let waitMs: number = limits.reconnectFirstWaitMs;
  let connectedBefore = false;
  while (!signal.aborted) {
    try {
      const response = await connect(client, wish, lastPosition, signal);
      if (connectedBefore) note('Connected to the server again.');
      connectedBefore = true;
      for await (const message of messagesOf(response)) {
        lastPosition = message.position;
        waitMs = limits.reconnectFirstWaitMs;
        yield message;
      }
    } catch (error) {
      // What the abort itself tears down is no failure. (The signal may have changed meanwhile.)
      if ((signal as { readonly aborted: boolean }).aborted) return;
      if (!connectedBefore || isFinal(error)) throw error;
    }
    note(`The connection to the server broke. Trying again in ${waitMs / 1_000} s.`);
    try {
      await wait(waitMs, undefined, { signal });
    } catch {
      return;
    }
    waitMs = Math.min(waitMs * 2, limits.reconnectWaitMs);
  }
}

/** Where the log ends now, so that nothing is lost when the connection breaks before the first event. */
async function headOf(client: Asker): Promise<string | undefined> {
  const { log } = await client.get('/api/v1/status', shapes.status);
  const head = log?.head ?? undefined;
  return head === undefined ? undefined : String(head);
}

async function connect(
  client: Asker,
  { session, type }: StreamWish,
  after: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const url = new URL(`${client.server.url}/api/v1/stream`);
  if (session !== undefined) url.searchParams.set('session', session);
  if (type !== undefined) url.searchParams.set('type', type);
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (after !== undefined) headers['last-event-id'] = after;
  const response = await client.request(url.href, { headers, forever: signal });
  if (!response.ok) throw await client.refusalOf(response);
  return response;
}

async function* messagesOf(response: Response): AsyncGenerator<shapes.LogEvent> {
  const arrived: shapes.LogEvent[] = [];
  const parser = createParser({
    maxBufferSize: limits.streamMessageCharactersMax,
    onEvent: ({ data }) => {
      const parsed = shapes.event.safeParse(parseJson(data));
      // Whatever else a server may send beside events is not for us.
      if (parsed.success) arrived.push(parsed.data);
    },
  });
  for await (const piece of textPieces(response)) {
    parser.feed(piece);
    yield* arrived.splice(0);
  }
}

/** Asking again would be answered the same. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  const { code, httpStatus = 0 } = error;
  if (httpStatus >= 400 && httpStatus < 500) return httpStatus !== 429;
  return ['token_missing', 'token_refused', 'answer_not_understood'].includes(code);
}

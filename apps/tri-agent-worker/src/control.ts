import { setTimeout as wait } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { limits } from '#kernel/limits.js';
import { halt, holds, late, leave, stop, type HaltOrder } from './claimed.js';
import { Refused, type ServerClient } from './server-client.js';

export interface ControlListener {
  /** What runs here at this moment. */
  running(): readonly string[];
  /** They ran here, and are no longer this worker's. */
  lost(attemptIds: readonly string[]): void;
  stop(attemptId: string, reason: string): void;
  halt(attemptId: string, order: HaltOrder): void;
  /** An operator wants it to end. */
  dismissed(reason: string): void;
  /** The server knows this worker no longer. */
  unknown(): void;
}

/** Listens to what the server has to tell this worker, and connects anew when the line breaks. */
export async function listenToControl(
  client: () => ServerClient,
  workerId: () => string,
  listener: ControlListener,
  signal: AbortSignal,
): Promise<void> {
  let waitMs: number = limits.reconnectFirstWaitMs;
  while (!signal.aborted) {
    try {
      // What is claimed from here on may be missing in what the server says that it holds.
      const before = listener.running();
      const stream = await client().stream(`workers/${workerId()}/control`, signal);
      waitMs = limits.reconnectFirstWaitMs;
      await read(stream, before, listener);
    } catch (error) {
      if (error instanceof Refused) listener.unknown();
    }
    await wait(waitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(waitMs * 2, limits.reconnectWaitMs);
  }
}

async function read(
  stream: ReadableStream<Uint8Array>,
  before: readonly string[],
  listener: ControlListener,
): Promise<void> {
  const parser = createParser({
    maxBufferSize: limits.streamMessageCharactersMax,
    onEvent: ({ event, data }) => {
      const message = parsed(data);
      if (event === 'holds') {
        const { success, data: told } = holds.safeParse(message);
        if (!success) return;
        listener.lost(before.filter((it) => !told.attemptIds.includes(it)));
        // It was ordered while nobody was listening.
        for (const { attemptId, ...order } of told.halts) listener.halt(attemptId, late(order));
      } else if (event === 'pause' || event === 'kill') {
        const { success, data: told } = halt.safeParse(message);
        if (success) listener.halt(told.attemptId, { how: event, reason: told.reason });
      } else if (event === 'stop') {
        const { success, data: told } = stop.safeParse(message);
        if (success) listener.stop(told.attemptId, told.reason);
      } else if (event === 'leave') {
        const { success, data: told } = leave.safeParse(message);
        if (success) listener.dismissed(told.reason);
      }
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of stream) parser.feed(decoder.decode(chunk, { stream: true }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

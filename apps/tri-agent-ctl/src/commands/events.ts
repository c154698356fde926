import type { Asker } from '../client.js';
import type { Output } from '../output.js';
import { eventLine } from '../render/event-line.js';
import { followEvents } from '../stream.js';
import { findSession } from './find-session.js';

export interface TailWish {
  readonly session?: string;
  readonly type?: string;
  readonly after?: string;
  readonly count: number;
}

/** Prints events as they are appended, until there were `count` or the person leaves. */
export async function tailEvents(client: Asker, output: Output, wish: TailWish): Promise<void> {
  const session =
    wish.session === undefined ? undefined : (await findSession(client, wish.session)).sessionId;
  const ending = output.io.signal ?? new AbortController().signal;
  const note = (text: string): void => {
    output.note(text);
  };
  const { type, after } = wish;
  let count = 0;
  for await (const event of followEvents(client, { session, type, after }, ending, note)) {
    if (output.json) output.record(event);
    else output.lines(eventLine(event, output.paint));
    count += 1;
    if (count >= wish.count) return;
  }
}

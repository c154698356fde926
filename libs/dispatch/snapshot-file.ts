import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { EventLog } from '#eventstore/src/log.js';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import { version as program } from '#platform/version.js';
import { dispatchDecider } from './dispatch.decider.js';
import { fromSnapshot, toSnapshot } from './dispatch-snapshot.js';
import type { DispatchEvent, DispatchState } from './dispatch-state.js';

/**
 * The file in which the state of dispatch is put away: `{"sha256": hex, "content": {...}}`. It may be
 * deleted at any time, and is believed only by the program that wrote it, of the log that it is of.
 */

/** What the stream came to at this version. */
export interface Snapshot {
  readonly streamVersion: number;
  readonly state: DispatchState;
}

/** Where the hash, and where what it is of, stand in the text. */
const opening = /^\{"sha256":"([0-9a-f]{64})","content":/;

interface Content {
  readonly program: string;
  readonly streamVersion: number;
  /** The event at this version. Another one there is another log. */
  readonly eventId: string;
  readonly state: unknown;
}

export function snapshotFile(home: string): string {
  return join(home, 'snapshots', 'dispatch.json');
}

/**
 * @param report is told in one sentence why there is a file and it is not believed.
 * @returns undefined when there is none to be believed: then fold the stream from its beginning.
 */
export async function loadSnapshot(
  home: string,
  log: EventLog,
  report: (sentence: string) => void,
): Promise<Snapshot | undefined> {
  const file = snapshotFile(home);
  try {
    const content = contentOf(await readFile(file, 'utf8'));
    if (content.program !== program) throw new Unfit(`version ${content.program} wrote it`);
    const { streamVersion, eventId } = content;
    const [event] = await log.read(DISPATCH_STREAM, streamVersion - 1, 1);
    if (event?.id !== eventId) throw new Unfit('it is not of this log');
    const state = fromSnapshot(content.state);
    if (state === undefined) throw new Unfit('it has another format');
    return { streamVersion, state };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    report(
      `The snapshot ${file} is left aside (${message}): dispatch reads its whole history instead.`,
    );
    return undefined;
  }
}

class Unfit extends Error {}

function contentOf(text: string): Content {
  const [start, sha256] = opening.exec(text) ?? [];
  if (start === undefined || !text.endsWith('}')) throw new Unfit('it is cut off or no snapshot');
  const content = text.slice(start.length, -1);
  if (hashOf(content) !== sha256) throw new Unfit('it is damaged');
  // The hash says that it is what this file's writer wrote.
  return JSON.parse(content) as Content;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Folds what came since the last snapshot, and writes the next one.
 *
 * @returns the version of the stream that it is of; undefined when it was aborted, or the stream is empty.
 */
export async function renewSnapshot(
  home: string,
  log: EventLog,
  report: (sentence: string) => void,
  signal: AbortSignal,
): Promise<number | undefined> {
  const loaded = await loadSnapshot(home, log, report);
  let state = loaded?.state ?? dispatchDecider.initial;
  let streamVersion = loaded?.streamVersion ?? 0;
  let eventId: string | undefined;
  for (;;) {
    const events = await log.read(DISPATCH_STREAM, streamVersion, limits.followBatchEvents);
    for (const event of events) {
      state = dispatchDecider.evolve(state, event as unknown as DispatchEvent);
      ({ version: streamVersion, id: eventId } = event);
    }
    // Lets in the word to stop.
    await setImmediate();
    if (signal.aborted) return undefined;
    if (events.length < limits.followBatchEvents) break;
  }
  if (eventId === undefined) return loaded?.streamVersion;
  await write(snapshotFile(home), { program, streamVersion, eventId, state: toSnapshot(state) });
  return streamVersion;
}

/** All of it or nothing, whenever the machine goes down. */
async function write(file: string, content: Content): Promise<void> {
  const text = JSON.stringify(content);
  const temporary = `${file}.tmp`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`{"sha256":"${hashOf(text)}","content":${text}}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

import { createReadStream } from 'node:fs';
import { Failure, reasonOf } from '../failure.js';
import type { Io } from '../io.js';

/**
 * A whole text in UTF-8, from a file or, where the path is `-`, from what is piped in. It is read up to
 * its limit only, whatever the file pretends to be.
 *
 * @throws {Failure} when it cannot be read, is larger, or is no UTF-8.
 */
export async function readText(
  io: Pick<Io, 'stdin'>,
  path: string,
  bytesMax: number,
): Promise<string> {
  try {
    const pieces = path === '-' ? io.stdin?.() : createReadStream(path);
    return await textOf(pieces ?? [], bytesMax);
  } catch (error) {
    throw new Failure(
      'file_unreadable',
      `${nameOf(path)} cannot be read: ${reasonOf(error)}.`,
      'Give a readable file of UTF-8 text, or - for what is piped in.',
    );
  }
}

/** What messages call it. */
export function nameOf(path: string): string {
  return path === '-' ? 'What was piped in' : path;
}

async function textOf(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  bytesMax: number,
): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

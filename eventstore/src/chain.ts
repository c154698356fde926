import { hash } from 'node:crypto';

/** A row of the log as it is stored: what the chain covers, and nothing that is derived from it. */
export interface StoredEvent {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  /** JSON text. */
  readonly data: string;
  /** JSON text. */
  readonly metadata: string;
}

/** What the first event is chained to. */
export const chainStart = '0'.repeat(64);

/**
 * The next link: SHA-256, as 64 hex digits, over the hex digits of the previous link and the text of
 * the row. Nothing is parsed, so a log is checked as fast as it can be read.
 *
 * The lengths in front make the text unambiguous: without them, text moved from the end of one field
 * to the beginning of the next would leave the hash as it was.
 */
export function nextLink(previous: string, event: StoredEvent): string {
  const { position, stream, version, id, type, schemaVersion, data, metadata } = event;
  const lengths = `${stream.length} ${id.length} ${type.length} ${data.length}`;
  return hash(
    'sha256',
    `${previous} ${position} ${version} ${schemaVersion} ${lengths}\n${stream}${id}${type}${data}${metadata}`,
  );
}

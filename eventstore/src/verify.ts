import type Database from 'better-sqlite3';
import { chainStart, nextLink, type StoredEvent } from './chain.js';
import { openLogFile } from './sqlite-schema.js';

export interface ChainReport {
  /** How many events were found to be as they were written. */
  readonly events: number;
  /** The position of the last of them, and its link of the chain (64 hex digits). */
  readonly head: bigint;
  readonly headHash: string;
  /** Null when the whole log is sound. */
  readonly firstBadPosition: bigint | null;
  readonly why: string | null;
}

export interface VerifyOptions {
  readonly onProgress?: (events: number, eventsInAll: number) => void;
}

interface ChainedRow extends StoredEvent {
  readonly link: string;
}

const batchEvents = 2_000;

/**
 * Walks the log as it stands at the beginning of the call, on a connection of its own and without
 * holding up its writers: finds rows that were edited, deleted, inserted or put in another order,
 * and versions that do not follow on each other. It blocks its thread (some seconds per million).
 *
 * It cannot find that rows at the end were cut off: what is left is a sound chain. For that, compare
 * `head` and `headHash` with ones that were kept elsewhere.
 *
 * @throws {LogError} `LOG_UNUSABLE` or `LOG_TOO_NEW` when the file cannot be read as a log at all.
 */
export function verifyChain(file: string, options: VerifyOptions = {}): ChainReport {
  const db = openLogFile(file, true);
  try {
    return walk(db, options.onProgress ?? (() => undefined));
  } finally {
    db.close();
  }
}

function walk(
  db: Database.Database,
  onProgress: NonNullable<VerifyOptions['onProgress']>,
): ChainReport {
  const end = db.prepare('SELECT coalesce(max(position), 0) FROM events').pluck().get() as number;
  const selectBatch = db.prepare<[number, number, number], ChainedRow>(
    `SELECT position, stream, version, id, type, schema_version AS schemaVersion, data, metadata,
       lower(hex(hash)) AS link
     FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`,
  );
  const versions = new Map<string, number>();
  let events = 0;
  let head = 0;
  let headHash = chainStart;
  const report = (bad: number | null, why: string | null): ChainReport => ({
    events,
    head: BigInt(head),
    headHash,
    firstBadPosition: bad === null ? null : BigInt(bad),
    why,
  });
  for (;;) {
    const batch = selectBatch.all(head, end, batchEvents);
    if (batch.length === 0) return report(null, null);
    for (const row of batch) {
      const fault = faultOf(row, headHash, versions.get(row.stream) ?? 0);
      if (fault !== undefined) return report(row.position, fault);
      versions.set(row.stream, row.version);
      events += 1;
      head = row.position;
      headHash = row.link;
    }
    onProgress(events, end);
  }
}

function faultOf(row: ChainedRow, previousLink: string, version: number): string | undefined {
  if (nextLink(previousLink, row) !== row.link) {
    return 'The event is not the one that was written here: it, or an event before it, was changed, removed or moved.';
  }
  if (row.version === version + 1) return undefined;
  return `Version ${row.version} of stream ${row.stream} stands after version ${version}.`;
}

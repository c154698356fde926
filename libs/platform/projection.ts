import type { Database } from 'better-sqlite3';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';

/**
 * A read model: its STRICT tables, what each event does to them, and a version that is raised when
 * either changes. It is rebuilt from the log when the version on disk is another.
 *
 * A projection writes only its own tables, reads only its own tables, and has no clock: whatever it
 * needs is in the event. So two rebuilds give equal tables.
 */
export interface Projection {
  readonly name: string;
  readonly version: number;
  /** Names of all its tables, dropped before a rebuild. */
  readonly tables: readonly string[];
  /** `CREATE TABLE ... STRICT` and indexes. */
  readonly schema: string;
  /** Prepares its statements on a connection and returns what applies events. */
  prepare(db: Database): Apply;
}

/**
 * Applies one event. What it holds back in memory, so as to write a row once for many events, `flush`
 * writes; it is called before a batch commits and must leave nothing behind.
 */
export interface Apply {
  (event: RecordedDomainEvent): void;
  readonly flush?: () => void;
}

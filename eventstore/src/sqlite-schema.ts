import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { limits } from '#kernel/limits.js';
import { LogError } from './log.js';
import { faultOfSchema } from './recorded.js';
import { isBusy, unusable } from './sqlite-fault.js';

/** "tria" in ASCII: marks the file as ours. */
const applicationId = 0x74726961;
/** Older ones may skip committed pages when two connections write and checkpoint at once. */
const sqliteVersionMin = '3.51.3';
const synchronousFull = 2;

/**
 * What takes a log from one version to the next; `PRAGMA user_version` counts how many were run. A
 * step that has run anywhere is never edited: the next change is another step.
 *
 * Measured at 300,000 rows, one stream per transaction, 5 / 50 events each, random ids, every
 * commit synced: this layout 11.9 / 27.6 thousand events per second and 951 bytes per event;
 * streams interned to integers 13.3 / 29.2 and 888 bytes; interned and ids as 16-byte blobs
 * 13.9 / 31.3 and 728 bytes. Runs differ by as much, so the rows stay readable as they are.
 */
const migrations: readonly string[] = [
  `CREATE TABLE events (
     position INTEGER PRIMARY KEY,
     stream TEXT NOT NULL,
     version INTEGER NOT NULL,
     id TEXT NOT NULL UNIQUE,
     type TEXT NOT NULL,
     schema_version INTEGER NOT NULL,
     data TEXT NOT NULL,
     metadata TEXT NOT NULL,
     hash BLOB NOT NULL,
     UNIQUE (stream, version)
   ) STRICT;
   -- Every pair that was ever written, so that an older program refuses the log before it reads it.
   CREATE TABLE event_schemas (
     type TEXT NOT NULL,
     schema_version INTEGER NOT NULL,
     PRIMARY KEY (type, schema_version)
   ) STRICT, WITHOUT ROWID;`,
];

/**
 * A connection to a log that is ready for use: known to be ours, migrated, and durable.
 *
 * Of two processes that make a new log at the same moment SQLite refuses one at once, without waiting,
 * when it turns to write-ahead logging: so the wait for others is here.
 *
 * @throws {LogError} `LOG_UNUSABLE` or `LOG_TOO_NEW`; nothing was changed in a file that is not ours.
 */
export function openLogFile(file: string, readOnly: boolean): Database.Database {
  const givenUpAt = performance.now() + limits.openWaitMs;
  for (;;) {
    try {
      return openOnce(file, readOnly);
    } catch (error) {
      if (error instanceof LogError) throw error;
      if (!isBusy(error) || performance.now() >= givenUpAt) throw unusable(file, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, limits.busyRetryMs);
    }
  }
}

function openOnce(file: string, readOnly: boolean): Database.Database {
  let db: Database.Database | undefined;
  try {
    assertAccess(file, readOnly);
    db = new Database(file, { readonly: readOnly, timeout: limits.openWaitMs });
    assertSafeSqlite(db.prepare('SELECT sqlite_version()').pluck().get() as string);
    assertOurs(db, file, readOnly);
    if (!readOnly) prepareForWriting(db, file);
    db.pragma('synchronous = FULL');
    // On macOS a sync reaches the platter only with this; elsewhere it changes nothing.
    db.pragma('fullfsync = 1');
    assertReadable(db);
    assertDurable(db, file);
    db.pragma(`busy_timeout = ${limits.busyWaitMs}`);
    return db;
  } catch (error) {
    db?.close();
    throw error;
  }
}

/** @throws {LogError} `LOG_UNUSABLE` for a version of SQLite that can lose committed events. */
export function assertSafeSqlite(version: string): void {
  if (version.localeCompare(sqliteVersionMin, 'en', { numeric: true }) >= 0) return;
  throw new LogError(
    'LOG_UNUSABLE',
    `SQLite ${version} can lose committed events. Install a better-sqlite3 with SQLite ${sqliteVersionMin} or newer.`,
  );
}

/** SQLite opens a file that it may not write without a word, and fails at the first append. */
function assertAccess(file: string, readOnly: boolean): void {
  const rights = readOnly ? constants.R_OK : constants.R_OK | constants.W_OK;
  const folder = dirname(file);
  try {
    if (!readOnly) accessSync(folder, constants.W_OK | constants.X_OK);
    if (readOnly || existsSync(file)) accessSync(file, rights);
  } catch (error) {
    const verb = readOnly ? 'read' : 'write';
    throw new LogError(
      'LOG_UNUSABLE',
      `The log ${file} cannot be ${readOnly ? 'read' : 'written'} (${(error as Error).message}). Create the folder ${folder} if it is missing, and let this user ${verb} it.`,
      { cause: error },
    );
  }
}

function assertOurs(db: Database.Database, file: string, readOnly: boolean): void {
  const id = db.pragma('application_id', { simple: true });
  if (id !== applicationId) {
    const objects = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
    const isNew = id === 0 && versionOf(db) === 0 && objects === 0;
    if (!isNew || readOnly) {
      const what = isNew ? 'holds no log yet' : 'is not a tri-agent log';
      throw new LogError('LOG_UNUSABLE', `${file} ${what}. Name another file.`);
    }
  }
  const version = versionOf(db);
  if (version > migrations.length) {
    throw new LogError(
      'LOG_TOO_NEW',
      `${file} has layout version ${version}; this program knows versions up to ${migrations.length}. Start the newer program that wrote it.`,
    );
  }
}

function prepareForWriting(db: Database.Database, file: string): void {
  const mode = db.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') {
    throw new LogError(
      'LOG_UNUSABLE',
      `${file} stays in journal mode ${String(mode)}, but the log needs WAL. Put it on a local disk.`,
    );
  }
  db.pragma('synchronous = FULL');
  // Measured at 600,000 rows: 1,000 / 2,000 / 4,000 pages give 20.8 / 22.4 / 23.7 thousand events
  // per second and pauses of at most 36 / 48 / 68 ms, which the event loop has to bear.
  db.pragma(`wal_autocheckpoint = ${limits.walCheckpointPages}`);
  db.pragma(`journal_size_limit = ${limits.walBytesKeptMax}`);
  if (versionOf(db) === migrations.length) return;
  db.transaction(() => {
    // Another process may have migrated while this one waited for its turn to write.
    for (const step of migrations.slice(versionOf(db))) db.exec(step);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${migrations.length}`);
  }).immediate();
}

function assertReadable(db: Database.Database): void {
  const schemas = db.prepare('SELECT type, schema_version AS version FROM event_schemas').all() as {
    type: string;
    version: number;
  }[];
  for (const { type, version } of schemas) {
    const fault = faultOfSchema(type, version);
    if (fault !== undefined) throw new LogError('LOG_TOO_NEW', fault);
  }
}

/**
 * better-sqlite3 is built to fall back to NORMAL in WAL mode, which loses acknowledged events at a
 * power cut. It does so at the first access to the file, hence this runs after one.
 */
function assertDurable(db: Database.Database, file: string): void {
  const synchronous = db.pragma('synchronous', { simple: true });
  if (synchronous === synchronousFull) return;
  throw new LogError(
    'LOG_UNUSABLE',
    `SQLite keeps ${file} at synchronous=${String(synchronous)}, where the log needs FULL (2). This is a fault of the program: report it.`,
  );
}

function versionOf(db: Database.Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

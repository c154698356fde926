import { existsSync, rmSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { RecordedEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Apply, Projection } from './projection.js';
import { sqliteCode } from './sqlite-error.js';

/** Marks the file as ours ("TRIA"), so that a stranger's database is not built upon. */
const APPLICATION_ID = 0x54524941;

/**
 * `target` is where the log ended when the build of this version began: the model is ready once
 * `position` has reached it. `tables` is what must be dropped when another version takes over.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS projections (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    target INTEGER NOT NULL,
    tables TEXT NOT NULL
  ) STRICT`;

interface Saved {
  readonly version: bigint;
  readonly position: bigint;
  readonly tables: string;
}

interface Running {
  readonly name: string;
  readonly apply: Apply;
  position: bigint;
}

/**
 * The one writer of read-models.db. What each batch does to the tables and the positions it leads to
 * commit together, so that after a crash both are there or neither is. `synchronous=NORMAL` may lose
 * the last commits at a power cut, whole; the log then brings them back.
 */
export class ReadModelsWriter {
  private readonly commit: (events: readonly RecordedEvent[]) => void;

  private constructor(
    private readonly file: string,
    private readonly inode: number,
    private readonly db: Database.Database,
    private readonly running: readonly Running[],
  ) {
    const savePosition = db.prepare<[bigint, string]>(
      'UPDATE projections SET position = ? WHERE name = ?',
    );
    const commit = db.transaction((events: readonly RecordedEvent[]) => {
      const last = events.at(-1);
      if (last === undefined) return;
      for (const projection of running) {
        applyUnseen(projection, events as readonly RecordedDomainEvent[]);
        savePosition.run(last.position, projection.name);
      }
    });
    this.commit = (events) => {
      commit.immediate(events);
    };
  }

  /**
   * Opens or makes the file. A projection is emptied and starts again from the beginning when its
   * version on disk is another, or its position lies beyond `head` (the log was replaced). A file
   * that is damaged or not ours is deleted. Hold the projector's lock when calling this.
   *
   * @param report gets one sentence for everything that had to be thrown away.
   */
  static open(
    file: string,
    projections: readonly Projection[],
    head: bigint,
    report: (sentence: string) => void,
  ): ReadModelsWriter {
    const db = openSound(file, report);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    // Indexes are touched all over: with SQLite's own 2 MB, pages would be written and read many times.
    db.pragma(`cache_size = -${limits.readModelsCacheKib}`);
    db.pragma(`wal_autocheckpoint = ${limits.walCheckpointPages}`);
    const setUp = db.transaction(() => {
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.exec(SCHEMA);
      return new Map(projections.map((it) => [it.name, positionOf(db, it, head, report)]));
    });
    const positions = setUp.immediate();
    const running = projections.map((projection) => ({
      name: projection.name,
      apply: projection.prepare(db),
      position: positions.get(projection.name) ?? 0n,
    }));
    return new ReadModelsWriter(file, statSync(file).ino, db, running);
  }

  /** Where to follow the log from: the lowest position of all projections. */
  get position(): bigint {
    return this.running.reduce(
      (lowest, { position }) => (position < lowest ? position : lowest),
      this.running[0]?.position ?? 0n,
    );
  }

  /** Applies the batch to every projection that has not seen it: all of it or nothing. */
  apply(events: readonly RecordedEvent[]): void {
    this.commit(events);
    const last = events.at(-1)?.position ?? 0n;
    for (const projection of this.running) {
      if (last > projection.position) projection.position = last;
    }
  }

  /** Whether it was deleted or replaced, so that nobody sees what is written to it. */
  isGone(): boolean {
    return statSync(this.file, { throwIfNoEntry: false })?.ino !== this.inode;
  }

  close(): void {
    this.db.close();
  }
}

function applyUnseen(projection: Running, events: readonly RecordedDomainEvent[]): void {
  const { apply, position } = projection;
  for (const event of events) if (event.position > position) apply(event);
  apply.flush?.();
}

function positionOf(
  db: Database.Database,
  projection: Projection,
  head: bigint,
  report: (sentence: string) => void,
): bigint {
  const { name, version, tables, schema } = projection;
  const saved = db
    .prepare<[string], Saved>('SELECT version, position, tables FROM projections WHERE name = ?')
    .safeIntegers()
    .get(name);
  if (saved?.version === BigInt(version) && saved.position <= head) return saved.position;
  if (saved !== undefined) {
    const why =
      saved.version === BigInt(version)
        ? 'it is ahead of the log, which must have been replaced'
        : `it was built by version ${saved.version}, this is version ${version}`;
    report(`The read model "${name}" is rebuilt from the log: ${why}.`);
  }
  const old = saved === undefined ? [] : (JSON.parse(saved.tables) as string[]);
  for (const table of new Set([...old, ...tables])) db.exec(`DROP TABLE IF EXISTS "${table}"`);
  db.exec(schema);
  db.prepare('INSERT OR REPLACE INTO projections VALUES (?, ?, 0, ?, ?)').run(
    name,
    version,
    head,
    JSON.stringify(tables),
  );
  return 0n;
}

function openSound(file: string, report: (sentence: string) => void): Database.Database {
  // What is left of a file that was deleted alone; a reader may still have it open, who keeps it.
  if (!existsSync(file)) removeAll(file);
  const db = new Database(file);
  const fault = faultOf(db);
  if (fault === undefined) return db;
  db.close();
  report(`${file} ${fault}. It is deleted and rebuilt from the log.`);
  removeAll(file);
  return new Database(file);
}

function removeAll(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
}

function faultOf(db: Database.Database): string | undefined {
  try {
    const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
    if (tables === 0) return undefined;
    if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
      return 'is the database of another program';
    }
    return db.pragma('quick_check(1)', { simple: true }) === 'ok' ? undefined : 'is damaged';
  } catch (error) {
    const code = sqliteCode(error);
    if (code.startsWith('SQLITE_CORRUPT')) return 'is damaged';
    if (code === 'SQLITE_NOTADB') return 'is not a database';
    throw error;
  }
}

import { statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import type { NewEvent, RecordedEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { admit, type AdmittedAppend } from './admission.js';
import type { StoredEvent } from './chain.js';
import { Bell, followBy, type Passage } from './following.js';
import {
  EventLog,
  LogError,
  type Appended,
  type ExpectedVersion,
  type FollowOptions,
} from './log.js';
import { recorded } from './recorded.js';
import { EventWriter, type Outcome } from './sqlite-writer.js';
import { isBusy, isSqliteError, unavailable, type SqliteError } from './sqlite-fault.js';
import { openLogFile } from './sqlite-schema.js';

export interface SqliteLogOptions {
  /** A log that only reads; `append` is refused. The file must exist. */
  readonly readOnly?: boolean;
  /** Stamps `recordedAt`. */
  readonly clock?: () => Date;
  /** Called once with the connection, before its first use; lets a test shrink the disk. */
  readonly onConnected?: (db: Database.Database) => void;
}

/** An append that was admitted and waits for the next commit. */
interface Waiting extends AdmittedAppend {
  /** Milliseconds of the monotonic clock. */
  readonly sinceMs: number;
  readonly resolve: (appended: Appended[]) => void;
  readonly reject: (error: unknown) => void;
}

const columns =
  'position, stream, version, id, type, schema_version AS schemaVersion, data, metadata';

/**
 * The log in one SQLite file. Several processes may have it open.
 *
 * Appends are committed in groups without a timer: a group is what queued up while the commit before
 * it ran and while turns of the event loop went on bringing more. An append resolves after its group
 * is on disk.
 */
export class SqliteLog extends EventLog {
  private readonly writer: EventWriter;
  private readonly selectHead: Database.Statement<[], number>;
  private readonly selectStream: Database.Statement<[string, number, number], StoredEvent>;
  private readonly selectAfter: Database.Statement<[bigint, number], StoredEvent>;
  private readonly selectOfTypes: Database.Statement<[bigint, bigint, string, number], StoredEvent>;
  private readonly bell: Bell;
  private readonly inode: number;
  private queue: Waiting[] = [];
  private isFlushing = false;
  private closed: Promise<void> | undefined;
  private whenIdle: (() => void) | undefined;
  private headSeen = 0;
  private lastCommitFailed = false;
  private busyWaitMs: number = limits.busyWaitMs;

  /**
   * Opens the log, making or migrating it where needed.
   *
   * @throws {LogError} `LOG_UNUSABLE` (no rights, another kind of file, damaged, SQLite too old) or
   *   `LOG_TOO_NEW`; the message says what to do.
   */
  static open(file: string, options: SqliteLogOptions = {}): SqliteLog {
    const db = openLogFile(file, options.readOnly ?? false);
    options.onConnected?.(db);
    return new SqliteLog(db, file, options.clock ?? (() => new Date()));
  }

  private constructor(
    private readonly db: Database.Database,
    private readonly file: string,
    private readonly clock: () => Date,
  ) {
    super();
    this.inode = statSync(file).ino;
    this.writer = new EventWriter(db);
    this.selectHead = db
      .prepare<[], number>('SELECT coalesce(max(position), 0) FROM events')
      .pluck();
    this.selectStream = db.prepare(
      `SELECT ${columns} FROM events WHERE stream = ? AND version > ? ORDER BY version LIMIT ?`,
    );
    this.selectAfter = db.prepare(
      `SELECT ${columns} FROM events WHERE position > ? ORDER BY position LIMIT ?`,
    );
    this.selectOfTypes = db.prepare(
      `SELECT ${columns} FROM events WHERE position > ? AND position <= ?
         AND type IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?`,
    );
    this.bell = new Bell(() => this.hasGrownElsewhere());
  }

  async append(
    stream: string,
    expected: ExpectedVersion,
    events: readonly NewEvent[],
  ): Promise<Appended[]> {
    this.assertOpen();
    const admitted = admit(stream, events);
    if (admitted.length === 0) return [];
    if (this.queue.length >= limits.appendsWaitingMax) {
      throw new LogError(
        'LOG_UNAVAILABLE',
        `${this.queue.length} appends are waiting already. Send again in a second.`,
      );
    }
    return new Promise((resolve, reject) => {
      const sinceMs = performance.now();
      this.queue.push({ stream, expected, events: admitted, sinceMs, resolve, reject });
      this.flushSoon();
    });
  }

  async read(stream: string, afterVersion: number, limit: number): Promise<RecordedEvent[]> {
    this.assertOpen();
    return Promise.resolve(this.selectStream.all(stream, afterVersion, limit).map(recorded));
  }

  follow(after: bigint, options: FollowOptions): AsyncIterable<RecordedEvent[]> {
    const { types } = options;
    const readAfter = (position: bigint, limit: number): Passage => {
      this.assertOpen();
      if (types !== undefined) return this.readOfTypes(position, limit, types);
      const events = this.selectAfter.all(position, limit).map(recorded);
      return { events, upTo: events.at(-1)?.position ?? position };
    };
    return followBy(readAfter, this.bell, after, options);
  }

  /** A bounded piece of the log at a time, so that a rare type is sought without holding up the rest. */
  private readOfTypes(after: bigint, limit: number, types: readonly string[]): Passage {
    const head = BigInt(this.selectHead.get() ?? 0);
    const end = after + BigInt(limits.followScanPositions);
    const upTo = end < head ? end : head;
    const rows = this.selectOfTypes.all(after, upTo, JSON.stringify(types), limit);
    const last = rows.length === limit ? rows.at(-1) : undefined;
    return { events: rows.map(recorded), upTo: last === undefined ? upTo : BigInt(last.position) };
  }

  async head(): Promise<bigint> {
    this.assertOpen();
    return Promise.resolve(BigInt(this.selectHead.get() ?? 0));
  }

  close(): Promise<void> {
    this.closed ??= this.finish();
    return this.closed;
  }

  /** How many appends wait for a commit, and how long the write-ahead file is. */
  stats(): { appendsWaiting: number; walBytes: number } {
    const wal = statSync(`${this.file}-wal`, { throwIfNoEntry: false });
    return { appendsWaiting: this.queue.length, walBytes: wal?.size ?? 0 };
  }

  /**
   * Takes the right to write and gives it back; really writes, with a change that changes nothing, when
   * the last append failed. Throws what would refuse an append now.
   */
  tryToWrite(): void {
    try {
      this.assertInPlace();
      if (this.lastCommitFailed) this.rewriteVersion();
      else this.db.exec('BEGIN IMMEDIATE; ROLLBACK');
    } catch (error) {
      // A writer at work is no trouble: an append would wait for it.
      if (!isBusy(error)) throw isSqliteError(error) ? unavailable(this.file, error) : error;
    }
  }

  private rewriteVersion(): void {
    this.db.pragma(`user_version = ${String(this.db.pragma('user_version', { simple: true }))}`);
  }

  private async finish(): Promise<void> {
    if (this.isFlushing) await new Promise<void>((resolve) => (this.whenIdle = resolve));
    this.db.close();
    this.bell.ring();
  }

  private assertOpen(): void {
    if (this.closed === undefined) return;
    throw new LogError('LOG_UNAVAILABLE', `The log ${this.file} was closed. Open it again.`);
  }

  /** SQLite goes on writing to a file that nobody can open any more, and what it holds ends with us. */
  private assertInPlace(): void {
    if (statSync(this.file, { throwIfNoEntry: false })?.ino === this.inode) return;
    throw new LogError(
      'LOG_UNAVAILABLE',
      `${this.file} was deleted, moved or replaced while it was in use. Stop the server, put the file back, start again.`,
    );
  }

  private flushSoon(): void {
    if (this.isFlushing) return;
    this.isFlushing = true;
    this.flushWhenAllAreIn(this.queue.length);
  }

  /**
   * While each turn of the event loop brings more appends, one commit for all of them costs less than
   * a commit for each turn. The first turn that brings none ends the wait.
   */
  private flushWhenAllAreIn(seen: number): void {
    setImmediate(() => {
      const { length } = this.queue;
      if (length > seen && length < limits.appendsPerCommitSoughtMax)
        this.flushWhenAllAreIn(length);
      else this.flush();
    });
  }

  /** Commits what is waiting, one group; what comes meanwhile is the next. */
  private flush(): void {
    const group = this.takeGroup();
    try {
      this.assertInPlace();
      settle(group, this.writer.commit(group, this.clock().toISOString()));
      this.lastCommitFailed = false;
      this.waitForOthers(limits.busyWaitMs);
      this.bell.ring();
    } catch (error) {
      if (isBusy(error)) {
        this.tryAgainLater(group, error);
        return;
      }
      this.lastCommitFailed = true;
      const reason = isSqliteError(error) ? unavailable(this.file, error) : error;
      for (const { reject } of group) reject(reason);
    }
    this.flushRest();
  }

  private flushRest(): void {
    this.isFlushing = false;
    if (this.queue.length > 0) this.flushSoon();
    else this.whenIdle?.();
  }

  private takeGroup(): Waiting[] {
    let appends = 0;
    for (let events = 0; appends < this.queue.length; appends += 1) {
      events += this.queue[appends]?.events.length ?? 0;
      if (appends > 0 && events > limits.eventsPerCommitMax) break;
    }
    return this.queue.splice(0, appends);
  }

  /** Another process writes: keeps the queue, lets the event loop go on, gives up on who waits long. */
  private tryAgainLater(group: readonly Waiting[], busy: SqliteError): void {
    const sinceMinMs = performance.now() - limits.appendWaitMs;
    const waiting = [...group, ...this.queue];
    this.queue = waiting.filter(({ sinceMs }) => sinceMs > sinceMinMs);
    for (const { sinceMs, reject } of waiting)
      if (sinceMs <= sinceMinMs) reject(unavailable(this.file, busy));
    if (this.queue.length === 0) {
      this.flushRest();
      return;
    }
    // The first attempt waited inside SQLite, which holds up the event loop; the next ones do not.
    this.waitForOthers(0);
    setTimeout(() => {
      this.flush();
    }, limits.busyRetryMs);
  }

  private waitForOthers(busyWaitMs: number): void {
    if (busyWaitMs === this.busyWaitMs) return;
    this.db.pragma(`busy_timeout = ${busyWaitMs}`);
    this.busyWaitMs = busyWaitMs;
  }

  /** When looking fails, whoever follows is woken and meets the error itself. */
  private hasGrownElsewhere(): boolean {
    try {
      const head = this.selectHead.get() ?? 0;
      const hasGrown = head !== this.headSeen;
      this.headSeen = head;
      return hasGrown;
    } catch {
      return true;
    }
  }
}

function settle(group: readonly Waiting[], outcomes: readonly Outcome[]): void {
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome instanceof LogError) group[index]?.reject(outcome);
    else group[index]?.resolve(outcome);
  }
}

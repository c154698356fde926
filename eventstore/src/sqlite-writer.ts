import type Database from 'better-sqlite3';
import { versionConflict, type AdmittedAppend, type AdmittedEvent } from './admission.js';
import { chainStart, nextLink } from './chain.js';
import type { Appended, LogError } from './log.js';

/** What became of one append of a group: stored, or refused alone because of its expected version. */
export type Outcome = Appended[] | LogError;

/** Where the log ends: what the next event is put behind and chained to. */
interface End {
  position: number;
  link: string;
}

/**
 * The one transaction that writes events: a group of appends becomes durable together.
 *
 * Whether an append is refused is known before its first row is written, so a refusal needs no
 * savepoint; what fails after that (disk full) fails the whole group and leaves nothing of it.
 */
export class EventWriter {
  /** Throws what SQLite throws; then nothing of the group was written. */
  readonly commit: (appends: readonly AdmittedAppend[], recordedAt: string) => Outcome[];

  private readonly selectEnd: Database.Statement<[], End>;
  private readonly selectVersion: Database.Statement<[stream: string], number>;
  private readonly selectKnown: Database.Statement<
    [id: string],
    { position: number; version: number }
  >;
  private readonly insertEvent: Database.Statement;
  private readonly insertSchema: Database.Statement<[type: string, version: number]>;

  constructor(db: Database.Database) {
    this.selectEnd = db.prepare(
      'SELECT position, lower(hex(hash)) AS link FROM events ORDER BY position DESC LIMIT 1',
    );
    this.selectVersion = db
      .prepare<[string], number>(
        'SELECT version FROM events WHERE stream = ? ORDER BY version DESC LIMIT 1',
      )
      .pluck();
    this.selectKnown = db.prepare('SELECT position, version FROM events WHERE id = ?');
    this.insertEvent = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.insertSchema = db.prepare('INSERT OR IGNORE INTO event_schemas VALUES (?, ?)');
    const transaction = db.transaction(this.write.bind(this));
    this.commit = (appends, recordedAt) => transaction.immediate(appends, recordedAt);
  }

  /** The end is read inside the transaction, because another process may have moved it. */
  private write(appends: readonly AdmittedAppend[], recordedAt: string): Outcome[] {
    const end = this.selectEnd.get() ?? { position: 0, link: chainStart };
    const outcomes = appends.map((append) => this.append(append, end, recordedAt));
    for (const [type, version] of schemasOf(appends)) this.insertSchema.run(type, version);
    return outcomes;
  }

  private append(append: AdmittedAppend, end: End, recordedAt: string): Outcome {
    const { stream, expected, events } = append;
    let version = this.selectVersion.get(stream) ?? 0;
    if (expected !== 'any' && expected !== version && this.hasNew(events)) {
      return versionConflict(stream, expected, version);
    }
    return events.map((event): Appended => {
      const { id } = event;
      const known = this.selectKnown.get(id);
      if (known) {
        return { id, version: known.version, position: BigInt(known.position), duplicate: true };
      }
      version += 1;
      this.store(stream, version, event, end, recordedAt);
      return { id, version, position: BigInt(end.position), duplicate: false };
    });
  }

  private hasNew(events: readonly AdmittedEvent[]): boolean {
    return events.some(({ id }) => this.selectKnown.get(id) === undefined);
  }

  private store(
    stream: string,
    version: number,
    event: AdmittedEvent,
    end: End,
    recordedAt: string,
  ): void {
    const { id, type, schemaVersion, data } = event;
    const metadata = JSON.stringify({ ...event.metadata, recordedAt });
    end.position += 1;
    const { position } = end;
    const row = { position, stream, version, id, type, schemaVersion, data, metadata };
    end.link = nextLink(end.link, row);
    const hash = Buffer.from(end.link, 'hex');
    this.insertEvent.run(position, stream, version, id, type, schemaVersion, data, metadata, hash);
  }
}

function schemasOf(appends: readonly AdmittedAppend[]): Map<string, number> {
  const schemas = new Map<string, number>();
  for (const { events } of appends)
    for (const { type, schemaVersion } of events) schemas.set(type, schemaVersion);
  return schemas;
}

import type { NewEvent, RecordedEvent } from '#kernel/event.js';
import { admit, versionConflict } from './admission.js';
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

/** The log in memory, for tests and simulations: the same contract, gone with the process. */
export class MemoryLog extends EventLog {
  /** Event n stands at index n - 1. */
  private readonly events: StoredEvent[] = [];
  private readonly streams = new Map<string, StoredEvent[]>();
  private readonly byId = new Map<string, StoredEvent>();
  private readonly bell = new Bell();
  private isClosed = false;

  constructor(private readonly clock: () => Date = () => new Date()) {
    super();
  }

  async append(
    stream: string,
    expected: ExpectedVersion,
    events: readonly NewEvent[],
  ): Promise<Appended[]> {
    this.assertOpen();
    const admitted = admit(stream, events);
    const rows = this.streams.get(stream) ?? [];
    const isExpected = expected === 'any' || expected === rows.length;
    if (!isExpected && admitted.some(({ id }) => !this.byId.has(id))) {
      throw versionConflict(stream, expected, rows.length);
    }
    const recordedAt = this.clock().toISOString();
    const appended = admitted.map((event): Appended => {
      const known = this.byId.get(event.id);
      const row = known ?? {
        ...event,
        stream,
        position: this.events.length + 1,
        version: rows.length + 1,
        metadata: JSON.stringify({ ...event.metadata, recordedAt }),
      };
      if (known === undefined) this.store(rows, row);
      const { id, version, position } = row;
      return { id, version, position: BigInt(position), duplicate: known !== undefined };
    });
    this.bell.ring();
    return Promise.resolve(appended);
  }

  async read(stream: string, afterVersion: number, limit: number): Promise<RecordedEvent[]> {
    this.assertOpen();
    const rows = this.streams.get(stream) ?? [];
    return Promise.resolve(rows.slice(afterVersion, afterVersion + limit).map(recorded));
  }

  follow(after: bigint, options: FollowOptions): AsyncIterable<RecordedEvent[]> {
    const { types } = options;
    const readAfter = (position: bigint, limit: number): Passage => {
      this.assertOpen();
      const from = Number(position);
      const rows = this.events.slice(from, from + limit);
      const wanted = rows.filter(({ type }) => types === undefined || types.includes(type));
      return { events: wanted.map(recorded), upTo: position + BigInt(rows.length) };
    };
    return followBy(readAfter, this.bell, after, options);
  }

  async head(): Promise<bigint> {
    this.assertOpen();
    return Promise.resolve(BigInt(this.events.length));
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.bell.ring();
    return Promise.resolve();
  }

  private store(rows: StoredEvent[], row: StoredEvent): void {
    this.events.push(row);
    this.byId.set(row.id, row);
    rows.push(row);
    this.streams.set(row.stream, rows);
  }

  private assertOpen(): void {
    if (this.isClosed) throw new LogError('LOG_UNAVAILABLE', 'The log was closed.');
  }
}

import Database from 'better-sqlite3';
import type { DataOf, EventType, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { Clock } from './clock.js';
import type { Projection } from './projection.js';

/** For specifications: an event as the log would give it back. */
export function recorded<Type extends EventType>(
  position: number,
  type: Type,
  data: DataOf<Type>,
  occurredAt: string,
  recordedAt = occurredAt,
): RecordedDomainEvent {
  const { agent, sessionId } = data as { agent: string; sessionId?: string };
  return {
    id: `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`,
    type,
    data,
    stream: `session-${agent}-${sessionId ?? ''}`,
    version: position,
    position: BigInt(position),
    schemaVersion: 1,
    metadata: { actor: `agent:${agent}`, source: 'specification', occurredAt, recordedAt },
  } as RecordedDomainEvent;
}

/** For specifications: a clock that stands still. */
export function clockAt(time: string): Clock {
  return Object.assign(new Clock(), { now: () => Date.parse(time) });
}

/** `given(projection, events).table('sessions')`: the rows that these events leave behind. */
export function given(
  projection: Projection,
  events: readonly RecordedDomainEvent[],
): { table(name: string): Record<string, unknown>[] } {
  const db = new Database(':memory:');
  db.exec(projection.schema);
  const apply = projection.prepare(db);
  for (const event of events) apply(event);
  apply.flush?.();
  return { table: (name) => tableRows(db, name) };
}

/** Every row of a table in an order that only depends on what is in it. */
export function tableRows(db: Database.Database, name: string): Record<string, unknown>[] {
  return db
    .prepare<[], Record<string, unknown>>(`SELECT * FROM "${name}"`)
    .safeIntegers()
    .all()
    .sort((a, b) => (rowText(a) < rowText(b) ? -1 : 1));
}

function rowText(row: Record<string, unknown>): string {
  return JSON.stringify(row, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}

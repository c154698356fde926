import type { RecordedEvent } from '#kernel/event.js';
import { currentVersion, isKnownType, upcast, type EventType } from '../vocabulary/vocabulary.js';
import type { StoredEvent } from './chain.js';
import { LogError } from './log.js';

/**
 * The stored row as readers see it, its data upcast to today's schema.
 *
 * @throws {LogError} `LOG_TOO_NEW` when a newer program wrote it meanwhile.
 */
export function recorded(row: StoredEvent): RecordedEvent {
  const { type, schemaVersion } = row;
  const fault = faultOfSchema(type, schemaVersion);
  if (fault !== undefined) throw new LogError('LOG_TOO_NEW', fault);
  return {
    id: row.id,
    type,
    stream: row.stream,
    version: row.version,
    position: BigInt(row.position),
    schemaVersion: currentVersion(type as EventType),
    data: upcast(type, schemaVersion, JSON.parse(row.data)),
    metadata: JSON.parse(row.metadata) as RecordedEvent['metadata'],
  };
}

/** Why this program cannot read events of this type and version; undefined when it can. */
export function faultOfSchema(type: string, version: number): string | undefined {
  if (!isKnownType(type)) {
    return `The log holds events of type ${type} (version ${version}), which this program does not know. Start the newer program that wrote them.`;
  }
  const known = currentVersion(type);
  if (version <= known) return undefined;
  return `The log holds ${type} in version ${version}; this program knows versions up to ${known}. Start the newer program that wrote it.`;
}

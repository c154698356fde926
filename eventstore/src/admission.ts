import { z } from 'zod';
import type { EventMetadata, NewEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { currentVersion, faultOf, type EventType } from '../vocabulary/vocabulary.js';
import { LogError, type ExpectedVersion } from './log.js';

/** An event that passed the edge: nothing behind it checks again. */
export interface AdmittedEvent {
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  /** JSON text. */
  readonly data: string;
  readonly metadata: EventMetadata;
}

export interface AdmittedAppend {
  readonly stream: string;
  readonly expected: ExpectedVersion;
  readonly events: readonly AdmittedEvent[];
}

const name = z.string().min(1).max(limits.identifierCharactersMax);
const metadataSchema = z.strictObject({
  actor: name,
  source: name,
  occurredAt: z.iso.datetime(),
  correlationId: name.optional(),
  causationId: name.optional(),
});

// Lower case only: two spellings of one id would be two ids to the log.
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const utf8BytesPerUnitMax = 3;

/**
 * Checks an append before anything of it is queued, and serialises its data.
 *
 * @throws {LogError} `INVALID_EVENT`, naming the first event that is wrong and why.
 */
export function admit(stream: string, events: readonly NewEvent[]): AdmittedEvent[] {
  const fault = faultOfStream(stream);
  if (fault !== undefined) throw new LogError('INVALID_EVENT', fault);
  if (events.length > limits.eventsPerAppendMax) {
    throw new LogError(
      'INVALID_EVENT',
      `${events.length} events in one append are too many: split it (at most ${limits.eventsPerAppendMax}).`,
    );
  }
  return events.map(admitEvent);
}

export function versionConflict(stream: string, expected: number, version: number): LogError {
  return new LogError(
    'VERSION_CONFLICT',
    `Stream ${stream} is at version ${version}, not at ${expected}. Read it again and decide anew.`,
  );
}

function admitEvent(event: NewEvent, index: number): AdmittedEvent {
  const fault = faultOfEnvelope(event) ?? faultOf(event);
  if (fault !== undefined) throw invalid(index, fault);
  const data = JSON.stringify(event.data);
  if (isLongerThan(data, limits.eventDataBytesMax)) {
    throw invalid(index, `data is longer than ${limits.eventDataBytesMax} bytes of JSON.`);
  }
  const { id, type, metadata } = event;
  return { id, type, schemaVersion: currentVersion(type as EventType), data, metadata };
}

function faultOfStream(stream: string): string | undefined {
  if (stream === '') return 'The name of the stream is empty.';
  if (stream.length > limits.streamNameCharactersMax) {
    return `The name of the stream is longer than ${limits.streamNameCharactersMax} characters.`;
  }
  if (/\p{Cc}/u.test(stream)) return 'The name of the stream has a control character in it.';
  // SQLite keeps UTF-8, which has no half characters: two such names could become one.
  if (!stream.isWellFormed()) return 'The name of the stream has half a character in it.';
  return undefined;
}

function faultOfEnvelope({ id, metadata }: NewEvent): string | undefined {
  if (!uuid.test(id)) return 'id must be a UUID in lower case.';
  const result = metadataSchema.safeParse(metadata);
  if (result.success) return undefined;
  const issue = result.error.issues[0];
  return `metadata.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}.`;
}

/** Cut, because a fault may quote what an agent wrote. */
function invalid(index: number, fault: string): LogError {
  const message = `Event ${index + 1} of the append: ${fault}`;
  return new LogError('INVALID_EVENT', message.slice(0, limits.freeTextCharactersMax));
}

function isLongerThan(text: string, bytesMax: number): boolean {
  if (text.length * utf8BytesPerUnitMax <= bytesMax) return false;
  return Buffer.byteLength(text) > bytesMax;
}

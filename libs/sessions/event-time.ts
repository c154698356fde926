import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';

/**
 * When it happened, in milliseconds since 1970. Never after it was recorded: an agent's clock may be
 * ahead, and one that is years ahead must not keep its session active for years.
 */
export function occurredAtMs(event: RecordedDomainEvent): number {
  return momentMs(event.metadata.occurredAt, event);
}

/** The same of a moment that an event tells of, as ISO-8601. */
export function momentMs(occurredAt: string, { metadata }: RecordedDomainEvent): number {
  const recorded = Date.parse(metadata.recordedAt);
  const occurred = Date.parse(occurredAt);
  return occurred < recorded ? occurred : recorded;
}

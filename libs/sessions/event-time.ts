import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';

/**
 * When it happened, in milliseconds since 1970. Never after it was recorded: an agent's clock may be
 * ahead, and one that is years ahead must not keep its session active for years.
 */
export function occurredAtMs(event: RecordedDomainEvent): number {
  const recorded = Date.parse(event.metadata.recordedAt);
  const occurred = Date.parse(event.metadata.occurredAt);
  return occurred < recorded ? occurred : recorded;
}

import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';

/**
 * When it happened, in milliseconds since 1970. Never after it was recorded: an agent's clock may be
 * ahead, and one that is years ahead must not keep its session active for years.
 */
export function occurredAtMs(event: RecordedDomainEvent): number {
  return momentsOf(event)(event.metadata.occurredAt);
}

/** The same of each moment that an event tells of, as ISO-8601. */
export function momentsOf({ metadata }: RecordedDomainEvent): (occurredAt: string) => number {
  const recorded = Date.parse(metadata.recordedAt);
  return (occurredAt) => {
    const occurred = Date.parse(occurredAt);
    return occurred < recorded ? occurred : recorded;
  };
}

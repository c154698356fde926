import type { RecordedEvent } from '#kernel/event.js';

/** An event as JSON has it: its position is text, since JSON's numbers do not hold all of 64 bits. */
export function describeEvent(event: RecordedEvent) {
  const { id, stream, version, position, type, schemaVersion, data, metadata } = event;
  return { id, stream, version, position: String(position), type, schemaVersion, data, metadata };
}

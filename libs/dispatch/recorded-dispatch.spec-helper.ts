import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { recorded } from '#platform/projection.specification.js';
import type { DispatchEvent } from './dispatch-state.js';

/** When the clock of dispatch stood at nought. */
const startMs = Date.UTC(2026, 10, 20, 10);

/** The time on the wall, when the clock of dispatch showed this. */
export function wallAt(atMs: number): string {
  return new Date(startMs + atMs).toISOString();
}

/** The events as the log would give them back. */
export function recordedDispatch(events: readonly DispatchEvent[]): RecordedDomainEvent[] {
  return events.map(({ type, data }, index) => ({
    ...recorded(index + 1, type, data, wallAt(data.atMs)),
    stream: DISPATCH_STREAM,
  }));
}

import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { RecordedEvent } from '#kernel/event.js';

/** What tells a session from all others. */
export function sessionKey(session: {
  readonly agent: AgentName;
  readonly sessionId: string;
}): string {
  return `${session.agent} ${session.sessionId}`;
}

export function recordedMs({ metadata }: Pick<RecordedEvent, 'metadata'>): number {
  return Date.parse(metadata.recordedAt);
}

/** By the clock of the one it happened to, but never after it was recorded. */
export function occurredMs(event: Pick<RecordedEvent, 'metadata'>): number {
  return Math.min(Date.parse(event.metadata.occurredAt), recordedMs(event));
}

import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { DispatchEvent } from './dispatch-state.js';

/** An event of dispatch that bears the id of a task. Sessions' events may, too, and are none. */
export type OnTask = Extract<DispatchEvent, { data: { taskId: string } }>;
export type RecordedOnTask = RecordedDomainEvent & OnTask;

export function isOnTask(event: RecordedDomainEvent): event is RecordedOnTask {
  return event.stream === DISPATCH_STREAM && 'taskId' in event.data;
}

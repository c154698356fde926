import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';

/** Which events show that a session is alive, and what they say of its requests. */

/** Any of these shows that the session is alive. Counters do not: they are sent while a request is open, too. */
const signs = [
  'SessionStarted',
  'PromptSubmitted',
  'RequestFailed',
  'RequestRetried',
  'RetriesExhausted',
  'AnswerReceived',
  'ToolDecided',
  'ToolFinished',
  'ContextCompacted',
  'SubagentFinished',
  'UsageRecorded',
  'TurnBegan',
  'TurnEnded',
  'AgentStopped',
  'SessionEnded',
] as const;
const namesOfSigns: ReadonlySet<string> = new Set(signs);
export type WatchedEvent = Extract<RecordedDomainEvent, { type: (typeof signs)[number] }>;

export function isOfWatchedSession(event: RecordedDomainEvent): event is WatchedEvent {
  return namesOfSigns.has(event.type);
}

export function opensRequest(event: WatchedEvent): boolean {
  return event.type === 'PromptSubmitted' || event.type === 'ToolFinished';
}

export function closesRequest(event: WatchedEvent): boolean {
  switch (event.type) {
    case 'UsageRecorded':
    case 'AnswerReceived':
    case 'RequestFailed':
      return event.data.thread === 'main' || event.data.thread === 'subagent';
    case 'RetriesExhausted':
    // What its hooks tell: nothing is asked for any more.
    case 'TurnEnded':
    case 'AgentStopped':
    case 'SessionEnded':
      return true;
    case 'ContextCompacted':
      // Asked for by a person, it is all that there was to do.
      return event.data.trigger === 'manual';
    default:
      return false;
  }
}

/** What has to be followed for it. */
export const silenceTypes = [
  ...signs,
  'UsageStated',
  'TaskClaimed',
  'AttemptStarted',
  'ProgressReported',
  'AttemptCompleted',
  'AttemptFailed',
  'AttemptReleased',
  'AttemptHalted',
  'LeaseExpired',
  'ProgressDeadlineMissed',
  'TaskCancelled',
  'KillConfirmed',
  'SessionWentSilent',
  'SessionHeardAgain',
] as const;

import type { DataOf, EventType, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { recorded } from '#platform/projection.specification.js';

import { Silences } from './silence.policy.js';

/** For specifications: events of agents at work with only what matters to the reader spelled out. */

export const session = { agent: 'claude-code', sessionId: 's1' } as const;
const model = { provider: 'anthropic', model: 'claude-x' } as const;

/** Seconds after ten o'clock, as milliseconds since 1970. */
export function second(seconds: number): number {
  return Date.UTC(2026, 10, 20, 10) + Math.round(seconds * 1_000);
}

let position = 0;
/** An event that happened, and was recorded, so many seconds after ten o'clock. */
export function event<Type extends EventType>(
  seconds: number,
  type: Type,
  data: DataOf<Type>,
): RecordedDomainEvent {
  position += 1;
  return recorded(position, type, data, new Date(second(seconds)).toISOString());
}

type Given<Type extends EventType> = Partial<DataOf<Type>>;

export const prompt = (at: number, given: Given<'PromptSubmitted'> = {}) =>
  event(at, 'PromptSubmitted', { ...session, promptCharacters: 10, ...given });

export const answered = (at: number, given: Given<'UsageRecorded'> = {}) =>
  event(at, 'UsageRecorded', {
    ...{ ...session, ...model, thread: 'main', tier: null },
    ...{ inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheCreationTokens: 0 },
    ...{ cacheCreation1hTokens: null, reasoningTokens: null, costOrigin: 'reported' },
    ...{ costNanoUsd: 4_000_000, computedNanoUsd: null, priceVersion: null },
    ...{ durationMs: 2_000, timeToFirstTokenMs: null },
    ...given,
  });

export const failed = (at: number, given: Given<'RequestFailed'> = {}) =>
  event(at, 'RequestFailed', {
    ...{ ...session, ...model, thread: 'main', statusCode: 529 },
    ...{ error: 'overloaded', attempt: null, durationMs: null },
    ...given,
  });

export const exhausted = (at: number, attempts: number) =>
  event(at, 'RetriesExhausted', {
    ...{ ...session, ...model, statusCode: 529, error: 'overloaded', attempts, durationMs: null },
  });

export const retried = (at: number, attempts: number, succeeded: boolean) =>
  event(at, 'RequestRetried', { ...session, ...model, attempts, succeeded, durationMs: null });

export const tool = (at: number, given: Given<'ToolFinished'> = {}) =>
  event(at, 'ToolFinished', {
    ...{ ...session, toolUseId: `call-${at}`, toolName: 'Bash', succeeded: true },
    ...{ inputBytes: 20, resultBytes: 30, durationMs: 5 },
    ...given,
  });

const attempt = { taskId: 't1', attemptId: 'a1', workerId: 'w1', fencingToken: 1 };

export const claimed = (at: number, given: Given<'TaskClaimed'> = {}) =>
  event(at, 'TaskClaimed', {
    ...{ ...attempt, agent: 'claude-code', provider: 'anthropic', account: 'default' },
    ...{ model: null, stolen: false, reservedNanoUsd: 0, leaseMs: 30_000, progressMs: 60_000 },
    ...{ waitedMs: 0, atMs: 0 },
    ...given,
  });

export const started = (at: number, sessionId: string | null = 's1') =>
  event(at, 'AttemptStarted', { ...attempt, sessionId, atMs: 0 });

export const attemptFailed = (at: number, given: Given<'AttemptFailed'> = {}) =>
  event(at, 'AttemptFailed', {
    ...{ ...attempt, cause: 'error', error: 'exit 1', retryable: true },
    ...{ durationMs: 0, notBeforeMs: 0, atMs: 0 },
    ...given,
  });

export const attemptCompleted = (at: number) =>
  event(at, 'AttemptCompleted', { ...attempt, resultHash: null, durationMs: 0, atMs: 0 });

export const leaseExpired = (at: number) =>
  event(at, 'LeaseExpired', { ...attempt, silentMs: 0, durationMs: 0, notBeforeMs: 0, atMs: 0 });

export const parked = (at: number) =>
  event(at, 'TaskParked', { taskId: 't1', cause: 'attempts-used-up', reason: '', atMs: 0 });

/** Silences that heard these events when they happened. */
export function heard(...events: readonly RecordedDomainEvent[]): Silences {
  const silences = new Silences(15_000);
  for (const it of events) silences.observe(it, Date.parse(it.metadata.occurredAt));
  return silences;
}
export const tick = (silences: Silences, at: number, audibleSince = 0) =>
  silences.tick(second(at), second(audibleSince));

/** Of the answers below: 4,000,000 nano-dollars in 2 s. */
export const pace = 120_000_000;

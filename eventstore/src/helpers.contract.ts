import { randomUUID } from 'node:crypto';
import type { NewEvent, RecordedEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { isLogError, type EventLog, type LogErrorCode } from './log.js';

export interface OpenedLog {
  readonly log: EventLog;
  /** Closes the log and removes what it left. */
  readonly dispose: () => Promise<void>;
}

/** An event that may be appended; what a test does not care about is filled in. */
export function sessionStarted(overrides: Partial<NewEvent> = {}): NewEvent {
  return {
    id: randomUUID(),
    type: 'SessionStarted',
    data: { sessionId: 's-1', agent: 'codex', startType: 'fresh' },
    metadata: { actor: 'agent:codex', source: 'test', occurredAt: '2026-11-20T10:00:00.000Z' },
    ...overrides,
  };
}

export function sessionsStarted(count: number): NewEvent[] {
  return Array.from({ length: count }, () => sessionStarted());
}

/** An event of a type that is rare among the others. */
export function priceMissing(): NewEvent {
  const data = { agent: 'codex', provider: 'openai', model: 'gpt-x' };
  return sessionStarted({ type: 'PriceMissing', data });
}

/** The code with which the log refused; fails when it did not. */
export async function refusalOf(attempt: Promise<unknown>): Promise<LogErrorCode> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isLogError(error)) return error.code;
  throw new Error(`Not refused by the log: ${String(error)}`);
}

/** Follows until `count` events came, and ends. */
export async function take(
  log: EventLog,
  after: bigint,
  count: number,
  batchEvents = limits.followBatchEvents as number,
  types?: readonly string[],
): Promise<RecordedEvent[]> {
  const end = new AbortController();
  const events: RecordedEvent[] = [];
  const options = { signal: end.signal, batchEvents, ...(types && { types }) };
  for await (const batch of log.follow(after, options)) {
    expect(batch.length).toBeLessThanOrEqual(batchEvents);
    events.push(...batch);
    if (events.length >= count) end.abort();
  }
  return events;
}

export const idsOf = (events: readonly { id: string }[]): string[] => events.map(({ id }) => id);
export const versionsOf = (events: readonly { version: number }[]): number[] =>
  events.map(({ version }) => version);

import type { StatedRequest } from '#eventstore/vocabulary/usage.events.js';
import type { DataOf, EventType, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { recorded } from '#platform/projection.specification.js';

/** For specifications: a session's events with only what matters to the reader spelled out. */

export function usageRecorded(
  changes: Partial<DataOf<'UsageRecorded'>> = {},
): DataOf<'UsageRecorded'> {
  return {
    sessionId: 's1',
    agent: 'claude-code',
    thread: 'main',
    provider: 'anthropic',
    model: 'claude-sonnet-4-5-20250929',
    tier: null,
    inputTokens: 10,
    outputTokens: 5,
    cacheReadTokens: 100,
    cacheCreationTokens: 20,
    cacheCreation1hTokens: null,
    reasoningTokens: null,
    costNanoUsd: 1_000_000,
    costOrigin: 'reported',
    computedNanoUsd: null,
    priceVersion: null,
    durationMs: 900,
    timeToFirstTokenMs: 300,
    ...changes,
  };
}

/** A request as the agent's own file states it. */
export function usageStated(
  occurredAt: string,
  { sessionId = 's1', agent = 'claude-code', ...given }: Changes = {},
): DataOf<'UsageStated'> {
  const stated: StatedRequest = {
    key: given.requestId ?? occurredAt,
    occurredAt,
    thread: 'main',
    provider: 'anthropic',
    model: 'claude-sonnet-4-5-20250929',
    tier: null,
    inputTokens: 10,
    outputTokens: 5,
    cacheReadTokens: 100,
    cacheCreationTokens: 20,
    cacheCreation1hTokens: null,
    reasoningTokens: null,
    costNanoUsd: null,
    costOrigin: 'unknown',
    computedNanoUsd: null,
    priceVersion: null,
    ...given,
  };
  return { sessionId, agent, requests: [stated] };
}
type Changes = Partial<StatedRequest & Omit<DataOf<'UsageStated'>, 'requests'>>;

export function usageMetered(
  changes: Partial<DataOf<'UsageMetered'>> = {},
): DataOf<'UsageMetered'> {
  return {
    sessionId: 's1',
    agent: 'claude-code',
    thread: 'main',
    provider: 'anthropic',
    model: 'claude-sonnet-4-5-20250929',
    temporality: 'delta',
    at: null,
    readings: [{ kind: 'input', since: '2026-11-20T10:00:00.000Z', amount: 7 }],
    ...changes,
  };
}

/** Minutes and seconds after ten o'clock. */
export function at(minute: number, second = 0): string {
  return new Date(Date.UTC(2026, 10, 20, 10, minute, second)).toISOString();
}

/** What happened and when. */
export type Fact = { [T in EventType]: readonly [T, DataOf<T>, string] }[EventType];

/** The facts as events, recorded in this order. */
export function history(...facts: readonly Fact[]): RecordedDomainEvent[] {
  return facts.map(([type, data, occurredAt], index) =>
    recorded(index + 1, type, data, occurredAt, at(59)),
  );
}

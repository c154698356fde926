import type { LogEvent, Session } from '../src/shapes.js';

export function aSession(of: Partial<Session> = {}): Session {
  return {
    sessionId: '0f9d1c2e-1111-4222-8333-444455556666',
    agent: 'claude-code',
    model: 'claude-sonnet-4-5',
    state: 'active',
    tokens: { input: 1_200, output: 800, cacheRead: 60_000, cacheCreation: 500, reasoning: null },
    costUsd: '0.037258500',
    unpricedRequests: 0,
    contextTokens: 84_000,
    contextWindow: 200_000,
    contextFill: 0.42,
    startedAt: '2026-11-20T11:00:00.000Z',
    lastActivityAt: '2026-11-20T11:59:55.000Z',
    taskId: null,
    project: null,
    requests: 4,
    errors: 0,
    usageSource: 'logs',
    ...of,
  };
}

export function anEvent(position: number, of: Partial<LogEvent> = {}): LogEvent {
  return {
    id: `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`,
    stream: 'session-claude-code-0f9d1c2e-1111-4222-8333-444455556666',
    version: position,
    position: String(position),
    type: 'UsageRecorded',
    data: {
      agent: 'claude-code',
      sessionId: '0f9d1c2e-1111-4222-8333-444455556666',
      model: 'claude-sonnet-4-5',
      inputTokens: 1_200,
      costNanoUsd: 37_258_500,
    },
    metadata: {
      actor: 'agent:claude-code',
      source: 'claude-code/2.1.329 logs',
      occurredAt: '2026-11-20T11:59:55.000Z',
      recordedAt: '2026-11-20T11:59:55.100Z',
    },
    ...of,
  };
}

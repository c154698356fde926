/** What the server answers of dispatch, as tests need it. */

export const taskId = '01a1f9ee-84b6-7091-86d1-d93bb187c757';

/** What an agent or a stranger could write into any text. */
export const hostile = 'evil\u001b[2J\u001b]0;title\u0007\u202e\u200b\nsecond line\u2028third';
export const harmful = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e\u2028]/;

export function aTask(given: Record<string, unknown> = {}) {
  return {
    taskId,
    state: 'ready',
    reason: null,
    agent: 'any',
    model: null,
    lane: 'normal',
    shard: 'impl',
    size: 'medium',
    team: null,
    project: 'shop',
    tags: ['orders'],
    directory: '/srv/shop',
    repository: null,
    ref: null,
    permissionMode: null,
    dependsOn: [],
    idempotencyKey: null,
    promptHash: 'abc',
    promptCharacters: 1_234,
    budgetUsd: '1.500000000',
    timeoutMs: 3_600_000,
    retries: 2,
    attempts: 1,
    submittedAt: '2026-11-20T11:00:00.000Z',
    startedAt: '2026-11-20T11:30:00.000Z',
    endedAt: null,
    workerId: null,
    attemptId: null,
    sessionId: null,
    percent: null,
    resultHash: null,
    lateResults: [],
    ...given,
  };
}

export function anAttempt(given: Record<string, unknown> = {}) {
  return {
    attemptId: 'attempt-1',
    workerId: 'worker-1',
    agent: 'codex',
    provider: 'openai',
    account: 'default',
    model: null,
    stolen: false,
    fencingToken: 7,
    claimedAt: '2026-11-20T11:30:00.000Z',
    startedAt: '2026-11-20T11:30:01.000Z',
    endedAt: '2026-11-20T11:40:00.000Z',
    end: 'failed',
    error: 'no disk',
    sessionId: null,
    percent: null,
    waitedMs: 340,
    durationMs: 600_000,
    ...given,
  };
}

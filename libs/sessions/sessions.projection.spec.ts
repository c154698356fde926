import { given } from '#platform/projection.specification.js';
import {
  at,
  history,
  usageMetered,
  usageRecorded,
  usageStated,
  type Fact,
} from './session-facts.specification.js';
import { sessionsProjection } from './sessions.projection.js';

function sessionAfter(...facts: readonly Fact[]): Record<string, unknown> {
  const rows = given(sessionsProjection, history(...facts)).table('sessions');
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

const ms = (time: string) => BigInt(Date.parse(time));
const session = { sessionId: 's1', agent: 'claude-code' } as const;
const compaction = { ...session, trigger: 'auto', preTokens: 180_000, durationMs: 1 } as const;
const request = { ...session, provider: 'anthropic', model: 'm', durationMs: 1 } as const;

describe('What is not of a session', () => {
  const attempt = { taskId: 't', attemptId: 'a', workerId: 'w', fencingToken: 1, atMs: 1 } as const;

  test.each(['s1', null])('leaves no trace, though it names %j as one', (sessionId) => {
    const facts = history(
      ['AttemptStarted', { ...attempt, sessionId }, at(1)],
      ['ProgressReported', { ...attempt, sessionId, percent: 40 }, at(2)],
    );
    expect(given(sessionsProjection, facts).table('sessions')).toEqual([]);
  });
});

describe('A session', () => {
  test('opens with SessionStarted alone', () => {
    const start = { ...session, startType: 'fresh', project: 'p', taskId: 't' } as const;
    expect(sessionAfter(['SessionStarted', start, at(1)])).toMatchObject({
      agent: 'claude-code',
      session_id: 's1',
      project: 'p',
      task_id: 't',
      started_at: ms(at(1)),
      last_activity_at: ms(at(1)),
      model: null,
    });
  });

  test('takes model and context from the last request of its main thread', () => {
    expect(
      sessionAfter(
        ['UsageRecorded', usageRecorded({ model: 'a' }), at(1)],
        ['UsageRecorded', usageRecorded({ model: 'b', cacheReadTokens: 200 }), at(2)],
        ['UsageRecorded', usageRecorded({ model: 'c', thread: 'subagent' }), at(3)],
      ),
    ).toMatchObject({ model: 'b', context_tokens: 235n, last_activity_at: ms(at(3)) });
  });

  test('shows the model of another thread only until its main thread has one', () => {
    const compacting = usageRecorded({ model: 'other', thread: 'compaction' });
    expect(sessionAfter(['UsageRecorded', compacting, at(2)])).toMatchObject({
      model: 'other',
      context_tokens: null,
    });
    expect(
      sessionAfter(
        ['UsageRecorded', compacting, at(2)],
        ['UsageRecorded', usageRecorded({ model: 'main' }), at(1)],
        ['UsageRecorded', compacting, at(3)],
      ),
    ).toMatchObject({ model: 'main', context_tokens: 135n });
  });

  test('is not set back by a late event', () => {
    expect(
      sessionAfter(
        ['UsageRecorded', usageRecorded({ model: 'new', cacheReadTokens: 200 }), at(5)],
        ['UsageRecorded', usageRecorded({ model: 'old' }), at(1)],
        ['ContextCompacted', { ...compaction, succeeded: true, postTokens: 9 }, at(2)],
      ),
    ).toMatchObject({
      model: 'new',
      context_tokens: 235n,
      started_at: ms(at(1)),
      last_activity_at: ms(at(5)),
      compactions: 1n,
    });
  });

  test('has after a compaction the context that this left', () => {
    expect(
      sessionAfter(
        ['UsageRecorded', usageRecorded(), at(1)],
        ['ContextCompacted', { ...compaction, succeeded: true, postTokens: 30_000 }, at(2)],
        ['ContextCompacted', { ...compaction, succeeded: false, postTokens: 1 }, at(3)],
      ),
    ).toMatchObject({ context_tokens: 30_000n, compactions: 1n });
  });

  test('cannot be active later than its last event was recorded', () => {
    const ahead = '9999-01-01T00:00:00.000Z';
    const row = sessionAfter(['UsageRecorded', usageRecorded(), ahead]);
    expect(row).toMatchObject({ last_activity_at: ms(at(59)) });
  });

  test('survives a time that is none', () => {
    const row = sessionAfter(['UsageRecorded', usageRecorded(), 'yesterday']);
    expect(row).toMatchObject({ last_activity_at: ms(at(59)) });
  });

  test('keeps whom it works for, and follows when that changes', () => {
    expect(
      sessionAfter(
        ['UsageRecorded', usageRecorded({ project: 'p', team: 'core', taskId: 't2' }), at(2)],
        ['UsageRecorded', usageRecorded({ taskId: 't1', userId: 'u' }), at(1)],
        ['UsageRecorded', usageRecorded({ team: 'docs' }), at(3)],
      ),
    ).toMatchObject({ project: 'p', team: 'docs', task_id: 't2', user_id: 'u' });
  });

  test('counts prompts, tools, failures, retries and subagents', () => {
    const failed = { ...request, thread: 'main', statusCode: 529, error: 'x', attempt: 4 } as const;
    const tool = { ...session, toolName: 'Bash', inputBytes: 1, resultBytes: 1, durationMs: 1 };
    const agent = { ...session, subagentId: 'a', subagentType: 'x', background: false } as const;
    const figures = { totalTokens: 1, toolUses: 1, durationMs: 1 };
    expect(
      sessionAfter(
        ['PromptSubmitted', { ...session, promptCharacters: 3 }, at(1)],
        ['ToolFinished', { ...tool, toolUseId: 'a', succeeded: true }, at(2)],
        ['ToolFinished', { ...tool, toolUseId: 'b', succeeded: false }, at(3)],
        ['RequestRetried', { ...request, attempts: 3, succeeded: true }, at(4)],
        ['RequestRetried', { ...request, attempts: 4, succeeded: false }, at(5)],
        ['RetriesExhausted', { ...request, attempts: 4, statusCode: 529, error: 'x' }, at(5)],
        ['RequestFailed', failed, at(5)],
        ['SubagentFinished', { ...agent, ...figures }, at(6)],
      ),
    ).toMatchObject({ prompts: 1n, tool_calls: 2n, errors: 1n, retries: 5n, subagents: 1n });
  });
});

describe('Metrics of a session', () => {
  test('show their model until a request tells one', () => {
    expect(
      sessionAfter(
        ['UsageMetered', usageMetered(), at(1)],
        ['UsageRecorded', usageRecorded(), at(2)],
        ['UsageMetered', usageMetered({ model: 'metered' }), at(3)],
      ),
    ).toMatchObject({ model: usageRecorded().model, metered_model: 'metered' });
  });
});

test('A file of the agent tells when its session began and was last active, its model and context', () => {
  const [first, last] = [usageStated(at(1)), usageStated(at(5), { project: 'shop' })];
  const side = usageStated(at(6), { thread: 'subagent', model: 'other' });
  const requests = [...last.requests, ...side.requests, ...first.requests];
  expect(sessionAfter(['UsageStated', { ...first, requests }, at(6)])).toMatchObject({
    started_at: ms(at(1)),
    last_activity_at: ms(at(6)),
    model: 'claude-sonnet-4-5-20250929',
    context_tokens: 135n,
    project: 'shop',
  });
});

test('A correction of the books is no sign of life', () => {
  const correction = {
    sessionId: 's1',
    agent: 'claude-code',
    usageId: '00000000-0000-4000-8000-000000000001',
    computedNanoUsd: 1,
    priceVersion: 'p',
  } as const;
  expect(
    sessionAfter(['UsageRecorded', usageRecorded(), at(1)], ['UsageRepriced', correction, at(30)]),
  ).toMatchObject({ last_activity_at: ms(at(1)) });
});

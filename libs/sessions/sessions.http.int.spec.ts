import { limits } from '#kernel/limits.js';
import { recorded } from '#platform/projection.specification.js';
import { all, get, happen, page, problem, serve, stop, upgrade, url } from './api.contract.js';
import { at, history, usageRecorded } from './session-facts.specification.js';
import { eventPage, sessionPage, sessionShape } from './sessions.shapes.js';

beforeEach(serve);
afterEach(stop);

describe('GET /api/v1/sessions', () => {
  test('lists sessions with the latest activity first, in the documented shape', async () => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ sessionId: 'old', taskId: 't' }), at(1)],
        ['UsageRecorded', usageRecorded({ sessionId: 'new', cacheReadTokens: 99_985 }), at(57)],
      ),
    );
    const body = await page('/api/v1/sessions');
    expect(sessionPage.safeParse(body).error).toBeUndefined();
    expect(body.nextCursor).toBeNull();
    expect(body.items.map((it) => it.sessionId)).toEqual(['new', 'old']);
    expect(body.items[0]).toMatchObject({
      agent: 'claude-code',
      model: 'claude-sonnet-4-5-20250929',
      state: 'active',
      tokens: { input: 10, output: 5, cacheRead: 99_985, cacheCreation: 20, reasoning: null },
      costUsd: '0.001000000',
      contextTokens: 100_020,
      contextWindow: 200_000,
      contextFill: 0.5001,
      startedAt: at(57),
      lastActivityAt: at(57),
      taskId: null,
    });
  });

  test('tells by the last activity whether a session is active, idle or ended', async () => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ sessionId: 'active' }), at(55)],
        ['UsageRecorded', usageRecorded({ sessionId: 'idle' }), at(54, 59)],
        ['UsageRecorded', usageRecorded({ sessionId: 'ended' }), at(-1_400)],
      ),
    );
    for (const state of ['active', 'idle', 'ended']) {
      const { items } = await page(`/api/v1/sessions?state=${state}`);
      expect(items).toMatchObject([{ sessionId: state, state }]);
    }
  });

  test('filters by agent, model, project and last activity', async () => {
    const other = { agent: 'codex', model: 'gpt-5.5', project: 'p' } as const;
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ sessionId: 'a' }), at(1)],
        ['UsageRecorded', usageRecorded({ sessionId: 'b', ...other }), at(2)],
      ),
    );
    for (const filter of ['agent=codex', 'model=gpt-5.5', 'project=p', `since=${at(2)}`]) {
      const { items } = await page(`/api/v1/sessions?${filter}`);
      expect(items).toMatchObject([{ sessionId: 'b', contextWindow: 258_400 }]);
    }
  });

  test('pages without repeating a session that becomes active meanwhile', async () => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ sessionId: 's1' }), at(1)],
        ['UsageRecorded', usageRecorded({ sessionId: 's2' }), at(2)],
        ['UsageRecorded', usageRecorded({ sessionId: 's3' }), at(2)],
        ['UsageRecorded', usageRecorded({ sessionId: 's4' }), at(4)],
      ),
    );
    const first = await page('/api/v1/sessions?limit=2');
    expect(first.items.map((it) => it.sessionId)).toEqual(['s4', 's3']);
    happen(recorded(5, 'UsageRecorded', usageRecorded({ sessionId: 's3' }), at(5)));
    const second = await page(`/api/v1/sessions?limit=2&cursor=${first.nextCursor}`);
    expect(second.items.map((it) => it.sessionId)).toEqual(['s2', 's1']);
    expect(second.nextCursor).toBeNull();
  });

  test.each([
    ['limit=0', 'limit'],
    [`limit=${limits.pageItemsMax + 1}`, 'limit'],
    ['agent=hal', 'agent'],
    ['agent=codex&agent=gemini', 'agent'],
    ['since=yesterday', 'since'],
    [`model=${'x'.repeat(201)}`, 'model'],
  ])('refuses %s and names the field', async (query, field) => {
    expect(await problem(`/api/v1/sessions?${query}`)).toMatchObject({
      code: 'BAD_REQUEST',
      field,
    });
  });

  test('refuses a parameter that it does not know', async () => {
    const { detail } = await problem('/api/v1/sessions?stat=active');
    expect(detail).toContain('stat');
  });

  test.each(['x', 'WzFd', Buffer.from('[1,"codex",{}]').toString('base64url')])(
    'refuses the cursor %s',
    async (cursor) => {
      const body = await problem(`/api/v1/sessions?cursor=${cursor}`);
      expect(body).toMatchObject({ code: 'BAD_CURSOR', status: 400 });
    },
  );

  test('answers 503 with the progress while the read model is being built', async () => {
    upgrade(10n);
    const response = await fetch(`${url}/api/v1/sessions`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ code: 'READ_MODEL_BUILDING', percent: 0 });
  });
});

describe('GET /api/v1/sessions/{id}', () => {
  test('gives one session', async () => {
    happen(...history(['UsageRecorded', usageRecorded({ sessionId: 'a/b ü' }), at(1)]));
    const { body } = await get(`/api/v1/sessions/${encodeURIComponent('a/b ü')}`);
    expect(sessionShape.parse(body)).toMatchObject({ sessionId: 'a/b ü', requests: 1 });
  });

  test('answers 404 for an unknown id', async () => {
    expect(await problem('/api/v1/sessions/none')).toMatchObject({
      code: 'SESSION_NOT_FOUND',
      status: 404,
      instance: '/api/v1/sessions/none',
    });
  });

  test('asks for the agent when several have the id', async () => {
    happen(
      ...history(
        ['UsageRecorded', usageRecorded({ agent: 'codex' }), at(1)],
        ['UsageRecorded', usageRecorded({ agent: 'gemini' }), at(1)],
      ),
    );
    const body = await problem('/api/v1/sessions/s1');
    expect(body).toMatchObject({ code: 'SESSION_AMBIGUOUS', agents: ['codex', 'gemini'] });
    const one = await get('/api/v1/sessions/s1?agent=gemini');
    expect(one.body).toMatchObject({ agent: 'gemini' });
  });
});

describe('GET /api/v1/sessions/{id}/events', () => {
  test('gives the events of the session in order, page by page', async () => {
    const usage = usageRecorded();
    happen(
      ...history(
        ['UsageRecorded', usage, at(1)],
        ['UsageRecorded', usageRecorded({ sessionId: 'other' }), at(2)],
        ['UsageRecorded', usage, at(3)],
        ['UsageRecorded', usage, at(4)],
      ),
    );
    const first = await page('/api/v1/sessions/s1/events?limit=1');
    expect(eventPage.safeParse(first).error).toBeUndefined();
    expect(first.items[0]).toMatchObject({ position: '1', type: 'UsageRecorded', data: usage });
    const items = await all('/api/v1/sessions/s1/events?limit=2');
    expect(items.map((it) => it.position)).toEqual(['1', '3', '4']);
  });
});

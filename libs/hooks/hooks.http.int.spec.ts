import { limits } from '#kernel/limits.js';
import { claimOf, hook, HooksServer } from './hooks.spec-helper.js';
import { identityOf } from '#platform/processes.js';
import { polite, StartedProcesses, until } from '#platform/started-processes.spec-helper.js';

let server: HooksServer;
beforeEach(async () => {
  server = new HooksServer();
  await server.start();
});
afterEach(() => server.stop());

const session = { sessionId: 's1', agent: 'claude-code' };
const turn = { ...session, promptId: 'p1' };
const content = 'what nobody may keep';

describe('What Claude Code tells becomes an event of its session', () => {
  test.each([
    ['UserPromptSubmit', { prompt: content }, 'TurnBegan', turn],
    ['Stop', { last_assistant_message: content }, 'TurnEnded', { ...turn, succeeded: true }],
    [
      'StopFailure',
      { error: 'rate_limit', error_details: content },
      'TurnEnded',
      { ...turn, succeeded: false, error: 'rate_limit' },
    ],
    [
      'PreCompact',
      { trigger: 'auto', custom_instructions: content },
      'CompactionBegan',
      { ...turn, trigger: 'auto' },
    ],
    ['SessionEnd', { reason: 'other' }, 'SessionEnded', { ...session, reason: 'other' }],
    [
      'SessionStart',
      { source: 'startup' },
      'AgentProcessSeen',
      {
        ...session,
        ...{ host: null, pid: null, startMark: null },
        ...{ directory: '/home/dev/shop', startType: 'startup' },
      },
    ],
  ])('%s', async (name, more, type, data) => {
    expect(await server.answer(hook(name, more))).toEqual({});
    expect(await server.facts()).toEqual([[type, data]]);
    const [event] = await server.events();
    expect(event).toMatchObject({
      stream: 'session-claude-code-s1',
      metadata: {
        actor: 'agent:claude-code',
        source: 'claude-code hooks',
        occurredAt: '2026-11-20T12:00:00.000Z',
      },
    });
  });

  test.each(['PreToolUse', 'PostToolUse', 'SubagentStop', 'Notification'])(
    'but %s becomes none',
    async (name) => {
      const tool = { tool_name: 'Bash', tool_input: { command: content } };
      expect(await server.answer(hook(name, tool))).toEqual({});
      expect(await server.facts()).toEqual([]);
    },
  );

  test('and a hook that nobody has heard of is counted under one name', async () => {
    for (const name of ['Levitate', 'constructor', '__proto__']) {
      expect(await server.answer(hook(name))).toEqual({});
    }
    expect(await server.facts()).toEqual([]);
    const metrics = await server.registry.metrics();
    expect(metrics).toContain('tri_agent_hook_calls_total{agent="claude-code",hook="other"} 3');
  });

  test('without its secrets', async () => {
    const secret = 'sk-ant-api03-AAAAbbbbCCCCdddd1234';
    await server.answer(hook('SessionStart', { cwd: `/tmp/${secret}`, session_id: secret }));
    const kept = JSON.stringify((await server.events()).map(({ stream, data }) => [stream, data]));
    expect(kept).toContain('[redacted:');
    expect(kept).not.toContain(secret);
  });
});

describe('What the other agents tell', () => {
  test('of Codex is of a turn by its own id', async () => {
    const told = { ...hook('UserPromptSubmit'), prompt_id: undefined, turn_id: 't1' };
    expect(await server.answer(told, 'codex')).toEqual({});
    expect(await server.facts()).toEqual([
      ['TurnBegan', { sessionId: 's1', agent: 'codex', promptId: 't1' }],
    ]);
  });

  test('of Gemini has names of its own', async () => {
    for (const name of ['BeforeAgent', 'PreCompress', 'AfterAgent', 'SessionEnd']) {
      expect(await server.answer(hook(name), 'gemini')).toEqual({});
    }
    const types = (await server.facts()).map(([type]) => type);
    expect(types).toEqual(['TurnBegan', 'TurnEnded', 'SessionEnded']);
  });

  test('is refused where there is no such agent', async () => {
    const response = await server.post(hook('Stop'), 'clippy');
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'BAD_REQUEST' }]);
  });
});

describe('A gate that is shut', () => {
  const reason = 'The budget of today is used up.';
  const denial = {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason: reason,
    },
  };
  const stop = { continue: false, stopReason: reason };
  beforeEach(() => {
    server.gate.reason = reason;
  });

  test.each([
    ['claude-code', 'UserPromptSubmit', 'prompt', stop],
    ['claude-code', 'PreToolUse', 'tool', { ...stop, ...denial }],
    ['codex', 'UserPromptSubmit', 'prompt', stop],
    ['codex', 'PreToolUse', 'tool', denial],
    ['gemini', 'BeforeAgent', 'prompt', stop],
    ['gemini', 'BeforeTool', 'tool', stop],
  ])('stops %s at %s, and the log says why', async (agent, name, before, answer) => {
    expect(await server.answer(hook(name), agent)).toEqual(answer);
    expect(await server.facts()).toEqual([['AgentStopped', { ...turn, agent, before, reason }]]);
    expect(server.gate.asked).toEqual([{ agent, sessionId: 's1', directory: '/home/dev/shop' }]);
  });

  test.each(['SessionStart', 'Stop', 'SessionEnd', 'PostToolUse'])(
    'is not asked at %s',
    async (name) => {
      expect(await server.answer(hook(name))).toEqual({});
      expect(server.gate.asked).toEqual([]);
    },
  );

  test('may have more to say than the log keeps', async () => {
    server.gate.reason = reason.repeat(100);
    expect(await server.answer(hook('UserPromptSubmit'))).toEqual({
      ...stop,
      stopReason: server.gate.reason,
    });
    const [[, data] = []] = await server.facts();
    expect((data as { reason: string }).reason).toHaveLength(limits.freeTextCharactersMax);
  });

  test('stops the agent also when the log cannot be written', async () => {
    server.log.unavailable = true;
    expect(await server.answer(hook('UserPromptSubmit'))).toEqual(stop);
  });
});

test('An agent that may go on hears of it when its event is not kept', async () => {
  server.log.unavailable = true;
  const response = await server.post(hook('UserPromptSubmit'));
  expect([response.status, await response.json()]).toMatchObject([
    503,
    { code: 'LOG_UNAVAILABLE' },
  ]);
});

describe('The process of a session', () => {
  const started = new StartedProcesses();
  afterEach(() => {
    started.end();
  });
  const began = (claim: object, more: object = {}) =>
    server.answer(hook('SessionStart', { source: 'startup', tri_agent: claim, ...more }));
  const seen = async () => (await server.facts()).map(([, data]) => (data as { pid: unknown }).pid);
  const listed = async () =>
    ((await (await fetch(`${server.url}/api/v1/agent-processes`)).json()) as { items: object[] })
      .items;

  test('is believed where it runs here, and told once', async () => {
    const [one] = await started.start(polite);
    await began(claimOf(one!));
    await until(() => server.processes.alive().length === 1);
    await began(claimOf(one!), { source: 'compact' });
    expect(await seen()).toEqual([one!.pid]);
    expect(await listed()).toEqual([
      {
        ...session,
        ...claimOf(one!),
        directory: '/home/dev/shop',
        seenAt: '2026-11-20T12:00:00.000Z',
      },
    ]);
  });

  test('is not believed when it has another start, is of another host, protected or gone', async () => {
    const [one] = await started.start(polite);
    const claims = [
      { ...claimOf(one!), startMark: 'another' },
      { ...claimOf(one!), host: 'elsewhere' },
      claimOf(identityOf(process.pid)!),
      claimOf(identityOf(process.ppid)!),
      { ...claimOf(one!), pid: 1 },
      { ...claimOf(one!), pid: 2 ** 31 },
    ];
    for (const claim of claims) await began(claim);
    expect(await seen()).toEqual(claims.map(() => null));
    expect(server.processes.alive()).toEqual([]);
  });

  test('is forgotten when the session has ended', async () => {
    const [one] = await started.start(polite);
    await began(claimOf(one!));
    await until(() => server.processes.alive().length === 1);
    await server.answer(hook('SessionEnd'));
    await until(() => server.processes.alive().length === 0);
    expect(await listed()).toEqual([]);
  });
});

describe('A hostile body', () => {
  const deep = (levels: number) => `${'[['.repeat(levels)}${']]'.repeat(levels)}`;

  test.each([
    ['nothing', ''],
    ['half of an object', '{"session_id": "s1", '],
    ['a list', '[]'],
    ['a very deep list', deep(50_000)],
    ['null', 'null'],
    ['a text', '"Stop"'],
    ['no session', hook('Stop', { session_id: undefined })],
    ['an empty session', hook('Stop', { session_id: '' })],
    ['a session that is no text', hook('Stop', { session_id: { a: 1 } })],
    ['a session too long', hook('Stop', { session_id: 's'.repeat(201) })],
    ['no hook', hook('Stop', { hook_event_name: undefined })],
    ['a hook that is a number', hook('Stop', { hook_event_name: 7 })],
    ['a folder that is none', hook('SessionStart', { cwd: ['/'] })],
    ['a folder too long', hook('SessionStart', { cwd: '/'.repeat(5_000) })],
    ['a process that is none', hook('SessionStart', { tri_agent: 8126 })],
    ['all processes', hook('SessionStart', { tri_agent: { ...processOf(-1) } })],
    ['half a process', hook('SessionStart', { tri_agent: { ...processOf(1.5) } })],
    ['a process by a text', hook('SessionStart', { tri_agent: { ...processOf('1; reboot') } })],
    ['a process too many words', hook('SessionStart', { tri_agent: { ...processOf(9), a: 1 } })],
  ])('with %s is refused', async (_what, body) => {
    const response = await server.post(body);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await server.facts()).toEqual([]);
  });

  test('that is larger than the limit is refused', async () => {
    const response = await server.post(hook('Stop', { x: 'x'.repeat(limits.apiBodyBytesMax) }));
    expect(response.status).toBe(413);
  });

  test('that is no JSON is refused', async () => {
    expect((await server.post('Stop', 'claude-code', 'application/xml')).status).toBe(415);
  });

  test('keeps its depth for itself', async () => {
    const body = JSON.stringify(hook('Stop')).replace('}', `,"tool_input":${deep(10_000)}}`);
    expect((await server.post(body)).status).toBe(200);
    expect((await server.facts()).map(([type]) => type)).toEqual(['TurnEnded']);
  });

  test('cuts no more than its own words', async () => {
    await server.answer(hook('SessionEnd', { reason: 'r'.repeat(1_000) }));
    await server.answer(hook('SessionEnd', { reason: '' }));
    await server.answer(hook('SessionEnd', { reason: null }));
    const reasons = (await server.facts()).map(([, data]) => (data as { reason: unknown }).reason);
    expect(reasons).toEqual(['r'.repeat(200), null, null]);
  });
});

function processOf(pid: unknown): object {
  return { host: 'h', pid, startMark: 'm' };
}

test('Stands in the document of the API', async () => {
  const document = JSON.stringify(await (await fetch(`${server.url}/api/docs-json`)).json());
  expect(document).toContain('"/api/v1/hooks/{agent}":{"post"');
  expect(document).toContain('"/api/v1/agent-processes":{"get"');
});

import {
  exited,
  optionsWith,
  refusalOf,
  run,
  started,
  taskWith,
  pausesIn,
} from '../../test/runs.js';
import { claude } from './claude.translate.js';

const sessionId = '11111111-1111-4111-8111-111111111111';
const usual = ['--print', '--output-format=stream-json', '--verbose'];

describe('Claude Code is started', () => {
  test('with a session that we chose, asking for nothing, and the prompt on its standard input', () => {
    expect(claude.invocation(taskWith({ prompt: '--help' }), optionsWith())).toEqual({
      is: 'run',
      args: [...usual, `--session-id=${sessionId}`, '--permission-mode=default'],
      env: { TRI_AGENT_TASK_ID: 'task-1', TRI_AGENT_ATTEMPT_ID: 'attempt-1' },
      stdin: '--help',
    });
  });

  test('to carry on a session, with a model, a mode and tools that are allowed', () => {
    const resumedSessionId = '22222222-2222-4222-8222-222222222222';
    const allowedTools = ['Edit', 'Bash(git status:*)'];
    const wish = { resumedSessionId, model: 'opus', permissionMode: 'acceptEdits', allowedTools };
    expect(started(claude, wish).args).toEqual([
      ...usual,
      `--resume=${resumedSessionId}`,
      '--model=opus',
      '--permission-mode=acceptEdits',
      '--allowedTools=Edit,Bash(git status:*)',
    ]);
  });

  test('with what it may cost', () => {
    const { args } = started(claude, { maxCostUsd: '2.500000000' });
    expect(args).toContain('--max-budget-usd=2.500000000');
  });

  test('so that its telemetry says whose work it is', () => {
    const wish = { taskId: 't,1', team: 'café & co', project: 'a=b' };
    const telemetry = { endpoint: 'http://127.0.0.1:4318', token: null };
    expect(started(claude, wish, { telemetry }).env).toEqual({
      CLAUDE_CODE_ENABLE_TELEMETRY: '1',
      CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      OTEL_LOGS_EXPORT_INTERVAL: '1000',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_RESOURCE_ATTRIBUTES:
        'task.id=t%2C1,attempt.id=attempt-1,team.id=caf%C3%A9%20%26%20co,project.name=a%3Db',
      TRI_AGENT_TASK_ID: 't,1',
      TRI_AGENT_ATTEMPT_ID: 'attempt-1',
    });
  });

  test('with what was set for its vendor, and no other', () => {
    const environment = {
      ANTHROPIC_API_KEY: 'theirs',
      CLAUDE_CONFIG_DIR: '/home/dev/.claude',
      IS_SANDBOX: '1',
      OPENAI_API_KEY: 'of another',
      GEMINI_API_KEY: 'of another',
      NODE_OPTIONS: '--inspect',
    };
    expect(Object.keys(started(claude, {}, { environment }).env)).toEqual([
      'ANTHROPIC_API_KEY',
      'CLAUDE_CONFIG_DIR',
      'IS_SANDBOX',
      'TRI_AGENT_TASK_ID',
      'TRI_AGENT_ATTEMPT_ID',
    ]);
  });

  test.each([
    ['a model that is no name', { model: 'a\nb' }],
    ['an empty model', { model: '' }],
    ['a session that no agent has', { resumedSessionId: '--dangerously-skip-permissions' }],
    ['a tool that is no tool', { allowedTools: ['--add-dir=/'] }],
    ['a list of tools in one', { allowedTools: ['Edit,Bash'] }],
    ['too many tools', { allowedTools: Array<string>(101).fill('Edit') }],
    ['a mode that it does not have', { permissionMode: 'anything' }],
  ])('not with %s', (_what, wish) => {
    expect(refusalOf(claude, wish)).toMatch(/^[A-Z].*\.$/);
  });
});

const result = {
  type: 'result',
  subtype: 'success',
  is_error: false,
  num_turns: 1,
  result: 'Done.',
  session_id: 's',
  total_cost_usd: 0.5,
  modelUsage: { m: { inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 3 } },
};

describe('What Claude Code prints', () => {
  test('is a failure when there is no result, even with exit code 0', () => {
    expect(run(claude, [{ type: 'system', session_id: 's' }]).outcome).toEqual({
      is: 'failed',
      error: 'Claude Code ended with exit code 0 and told no result.',
      retryable: true,
      sessionId: 's',
    });
  });

  test('is a failure when a signal ended it, and says what it said last', () => {
    const exit = { exitCode: null, signal: 'SIGKILL', stderrTail: 'first\nout of memory\n\n' };
    expect(run(claude, [], exit).outcome).toMatchObject({
      error: 'Claude Code was ended by SIGKILL and told no result: out of memory.',
      retryable: true,
    });
  });

  test('is no success when it ended badly after its result', () => {
    expect(run(claude, [result], { exitCode: 1 }).outcome).toMatchObject({
      is: 'failed',
      error: 'Claude Code told a result and then ended with exit code 1.',
      retryable: true,
    });
  });

  test('that does not know the session that it was to carry on can begin anew', () => {
    const words = 'No conversation found with session ID: x';
    const failure = { ...result, is_error: true, result: words };
    for (const isResumed of [true, false]) {
      const outcomes = [
        run(claude, [failure], { exitCode: 1 }, isResumed).outcome,
        run(claude, [], { exitCode: 1, stderrTail: words }, isResumed).outcome,
      ];
      for (const it of outcomes) {
        expect(it).toMatchObject({ is: 'failed', retryable: isResumed, sessionId: null });
        expect('isConversationGone' in it).toBe(isResumed);
      }
    }
  });

  test('is at a pause after what a tool came to and what it says, not where a subagent is', () => {
    const said = (type: string, kind: string, parent: string | null = null) => ({
      type,
      message: { content: [{ type: kind }] },
      parent_tool_use_id: parent,
    });
    const lines = [
      ...[{ type: 'system' }, said('assistant', 'tool_use'), said('user', 'tool_result')],
      ...[said('assistant', 'text'), said('user', 'tool_result', 'a'), 'nonsense'],
    ];
    expect(pausesIn(claude, lines)).toEqual([false, false, true, true, false, false]);
  });

  test('counts by its last result', () => {
    const failure = { ...result, is_error: true, result: 'No.' };
    expect(run(claude, [failure, result]).outcome).toMatchObject({ is: 'completed' });
    expect(run(claude, [result, failure]).outcome).toMatchObject({ is: 'failed' });
  });

  test('of a version that does not tell what one run used is of the session when it was resumed', () => {
    const whole = {
      tokens: { input: 1, output: 2, cacheRead: 3, cacheCreation: 0, reasoning: null },
      costNanoUsd: 500_000_000,
    };
    expect(run(claude, [result]).outcome).toMatchObject({ ...whole, covers: 'run' });
    expect(run(claude, [result], {}, true).outcome).toMatchObject({ ...whole, covers: 'session' });
  });

  test.each([
    ['a cost below nothing', { total_cost_usd: -1 }, { costNanoUsd: null }],
    ['a cost that is no number', { total_cost_usd: '1' }, { costNanoUsd: null }],
    ['tokens that are none', { modelUsage: { m: { inputTokens: 1.5 } } }, { tokens: null }],
    ['a result that is no text', { result: { a: 1 } }, { result: '' }],
  ])('with %s is completed without it', (_what, wrong, expected) => {
    expect(run(claude, [{ ...result, ...wrong }]).outcome).toMatchObject({
      is: 'completed',
      ...expected,
    });
  });

  test('tells a retry once, however often it is repeated, and the same of the next request again', () => {
    const retry = { type: 'system', subtype: 'api_retry', attempt: 1, error_status: 429 };
    const answer = { type: 'assistant', message: { content: [{ type: 'text', text: 'Hi.' }] } };
    const { news } = run(claude, [
      { ...retry, retry_delay_ms: 67_800 },
      { ...retry, retry_delay_ms: 37_800 },
      answer,
      { ...retry, error_status: 529, retry_delay_ms: 508.2 },
    ]);
    expect(news).toEqual([
      { is: 'retry', statusCode: 429, retryAfterMs: 67_800 },
      { is: 'text', text: 'Hi.' },
      { is: 'retry', statusCode: 529, retryAfterMs: 509 },
    ]);
  });

  test('tells how much of its plan is done', () => {
    const todos = [
      { content: 'Read', status: 'completed' },
      { content: 'Write', activeForm: 'Writing', status: 'in_progress' },
      { content: 'Test', status: 'pending' },
    ];
    const content = [{ type: 'tool_use', name: 'TodoWrite', input: { todos } }];
    expect(run(claude, [{ type: 'assistant', message: { content } }]).news).toEqual([
      { is: 'progress', what: 'plan: Writing', percent: 33 },
    ]);
  });

  test('may be anything', () => {
    const { news } = run(claude, ['Segmentation fault', '{"half', '[]', '', '{"type":"new"}']);
    expect(news).toEqual([
      { is: 'progress', what: 'Segmentation fault' },
      { is: 'progress', what: '{"half' },
      { is: 'progress', what: '[]' },
    ]);
  });

  test('is told as too long when it was cut, and counts as nothing', () => {
    const reader = claude.reader(false);
    const news = reader.line(JSON.stringify(result), true);
    expect(JSON.stringify(news)).toContain('"what":"(a line that is too long) {');
    expect(reader.end(exited)).toMatchObject({ is: 'failed' });
  });
});

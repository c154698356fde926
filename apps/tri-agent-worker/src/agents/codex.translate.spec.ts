import {
  exited,
  optionsWith,
  refusalOf,
  run,
  started,
  taskWith,
  pausesIn,
} from '../../test/runs.js';
import { codex } from './codex.translate.js';

const readOnly = ['-c', 'sandbox_mode="read-only"', '-c', 'approval_policy="never"'];
const usual = ['exec', '--json', '--skip-git-repo-check'];

describe('Codex CLI is started', () => {
  test('in its sandbox that only reads, and the prompt on its standard input', () => {
    expect(codex.invocation(taskWith({ prompt: '--help' }), optionsWith())).toEqual({
      is: 'run',
      args: [...usual, ...readOnly, '--', '-'],
      env: { TRI_AGENT_TASK_ID: 'task-1', TRI_AGENT_ATTEMPT_ID: 'attempt-1' },
      stdin: '--help',
    });
  });

  test('to carry on a session, with a model and another sandbox', () => {
    const resumedSessionId = '22222222-2222-4222-8222-222222222222';
    const wish = { resumedSessionId, model: 'gpt-5.6-sol', permissionMode: 'workspace-write' };
    expect(started(codex, wish).args).toEqual([
      ...['exec', 'resume', '--json', '--skip-git-repo-check', '--model=gpt-5.6-sol'],
      ...['-c', 'sandbox_mode="workspace-write"', '-c', 'approval_policy="never"'],
      ...['--', resumedSessionId, '-'],
    ]);
  });

  test('so that its telemetry says whose work it is, and no token stands on the command line', () => {
    const telemetry = { endpoint: 'http://127.0.0.1:4318/', token: 'for telemetry' };
    const wish = { team: 'café & co', project: 'a, b' };
    const { args, env } = started(codex, wish, { telemetry });
    const to = (path: string) =>
      `{otlp-http={endpoint="http://127.0.0.1:4318/v1/${path}",protocol="binary"}}`;
    expect(args).toEqual([
      ...usual,
      ...readOnly,
      ...['-c', `otel.exporter=${to('logs')}`, '-c', `otel.metrics_exporter=${to('metrics')}`],
      ...['-c', 'otel.trace_exporter="none"', '--', '-'],
    ]);
    expect(env).toEqual({
      // It parts them at commas and decodes nothing: a name with a comma is left to the task.
      OTEL_RESOURCE_ATTRIBUTES: 'task.id=task-1,attempt.id=attempt-1,team.id=café & co',
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20for%20telemetry',
      TRI_AGENT_TASK_ID: 'task-1',
      TRI_AGENT_ATTEMPT_ID: 'attempt-1',
    });
  });

  test('with what was set for its vendor, and no other', () => {
    const environment = {
      OPENAI_API_KEY: 'theirs',
      CODEX_HOME: '/home/dev/.codex',
      ANTHROPIC_API_KEY: 'of another',
      GEMINI_API_KEY: 'of another',
    };
    expect(Object.keys(started(codex, {}, { environment }).env)).toEqual([
      ...['OPENAI_API_KEY', 'CODEX_HOME', 'TRI_AGENT_TASK_ID', 'TRI_AGENT_ATTEMPT_ID'],
    ]);
  });

  test('not with a list of allowed tools, which it does not have', () => {
    expect(refusalOf(codex, { allowedTools: ['shell'] })).toBe(
      'Codex CLI has no list of allowed tools; its permission mode says what it may do.',
    );
  });
});

const begun = [{ type: 'thread.started', thread_id: 't' }, { type: 'turn.started' }];
const usage = { input_tokens: 10, cached_input_tokens: 4, output_tokens: 3 };
const completed = { type: 'turn.completed', usage };

describe('What Codex CLI prints', () => {
  test('is a failure when no turn is complete, even with exit code 0', () => {
    expect(run(codex, begun).outcome).toEqual({
      is: 'failed',
      error: 'Codex CLI ended with exit code 0 and did not complete its turn.',
      retryable: true,
      sessionId: 't',
    });
  });

  test('is no success when it ended badly after its turn', () => {
    const { outcome } = run(codex, [...begun, completed], { exitCode: null, signal: 'SIGTERM' });
    expect(outcome).toMatchObject({ error: 'Codex CLI was ended by SIGTERM after its turn.' });
  });

  test('is a success when it came through after an error', () => {
    const error = { type: 'error', message: 'stream disconnected before completion' };
    expect(run(codex, [...begun, error, completed]).outcome).toMatchObject({ is: 'completed' });
  });

  test('that says it does not know the session can begin anew', () => {
    const stderrTail =
      'Error: thread/resume: thread/resume failed: no rollout found for thread id 22222222-2222-4222-8222-222222222222 (code -32600)\n';
    expect(run(codex, [], { exitCode: 1, stderrTail }, true).outcome).toEqual({
      is: 'failed',
      error:
        'Codex CLI ended with exit code 1 and did not complete its turn: Error: thread/resume: thread/resume failed: no rollout found for thread id 22222222-2222-4222-8222-222222222222 (code -32600).',
      retryable: true,
      sessionId: null,
      isConversationGone: true,
    });
  });

  test('is at a pause where a step of its work has ended', () => {
    const item = (type: string, kind: string) => ({ type, item: { type: kind } });
    const lines = [
      ...[...begun, item('item.started', 'command_execution')],
      ...[item('item.completed', 'command_execution'), item('item.started', 'mcp_tool_call')],
      ...[item('item.completed', 'agent_message'), 'nonsense'],
    ];
    expect(pausesIn(codex, lines).slice(begun.length)).toEqual([
      ...[false, true, false, true, false],
    ]);
  });

  test('tells how long its provider wants to be left alone, where it says so', () => {
    const message = 'Rate limit reached for gpt-5 on tokens per min. Please try again in 3.5s.';
    const retry = { type: 'error', message: `Reconnecting... 1/5 (${message})` };
    const { news, outcome } = run(codex, [
      ...begun,
      retry,
      { type: 'turn.failed', error: { message } },
    ]);
    const told = { statusCode: 429, retryAfterMs: 3_500 };
    expect(news).toContainEqual({ is: 'retry', ...told });
    expect(outcome).toMatchObject({ is: 'failed', retryable: true, ...told });
  });

  test.each([
    ['none', undefined],
    ['more cached than there were', { input_tokens: 1, cached_input_tokens: 2, output_tokens: 1 }],
    ['half of one', { input_tokens: 1.5, output_tokens: 1 }],
  ])('with tokens that are %s is completed without them', (_what, wrong) => {
    const { outcome } = run(codex, [...begun, { ...completed, usage: wrong }]);
    expect(outcome).toMatchObject({ is: 'completed', tokens: null, costNanoUsd: null });
  });

  test('tells tools, failed commands, changed files and how much of its plan is done', () => {
    const item = (type: string, more: object, event = 'item.completed') => ({
      type: event,
      item: { id: 'item_0', type, ...more },
    });
    const items = [
      { text: 'Read', completed: true },
      { text: 'Write', completed: false },
    ];
    const { news } = run(codex, [
      item('todo_list', { items }, 'item.updated'),
      item('command_execution', { command: 'npm test', exit_code: null }, 'item.started'),
      item('command_execution', { command: 'npm test', exit_code: 2 }),
      item('file_change', { changes: [{ kind: 'update', path: 'src/a.ts' }] }),
      item('mcp_tool_call', { tool: 'search', arguments: { query: 'x' } }, 'item.started'),
      item('web_search', { query: 'y' }),
      item('something new', {}),
    ]);
    expect(news).toEqual([
      { is: 'progress', what: 'plan: Write', percent: 50 },
      { is: 'progress', what: 'shell: npm test' },
      { is: 'progress', what: 'exit code 2: shell: npm test' },
      { is: 'progress', what: 'update: src/a.ts' },
      { is: 'progress', what: 'search: x' },
      { is: 'progress', what: 'web search: y' },
    ]);
  });

  test('may be anything, and counts as nothing when it was cut', () => {
    const reader = codex.reader(false);
    expect(reader.line('thread panicked', false)).toEqual([
      { is: 'progress', what: 'thread panicked' },
    ]);
    reader.line(JSON.stringify(completed), true);
    expect(reader.end(exited)).toMatchObject({ is: 'failed' });
  });
});

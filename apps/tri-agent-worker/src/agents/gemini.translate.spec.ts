import { exited, optionsWith, run, started, taskWith, pausesIn } from '../../test/runs.js';
import { gemini } from './gemini.translate.js';

const sessionId = '11111111-1111-4111-8111-111111111111';
const usual = ['--output-format=stream-json', '--skip-trust'];

describe('Gemini CLI is started', () => {
  test('with a session that we chose, asking for nothing, and the prompt on its standard input', () => {
    expect(gemini.invocation(taskWith({ prompt: '--help' }), optionsWith())).toEqual({
      is: 'run',
      args: [...usual, `--session-id=${sessionId}`, '--approval-mode=default'],
      env: {
        GEMINI_CLI_NO_RELAUNCH: 'true',
        TRI_AGENT_TASK_ID: 'task-1',
        TRI_AGENT_ATTEMPT_ID: 'attempt-1',
      },
      stdin: '--help',
    });
  });

  test('to carry on a session, with a model, a mode and tools that are allowed', () => {
    const resumedSessionId = '22222222-2222-4222-8222-222222222222';
    const allowedTools = ['run_shell_command(git status)', 'write_file'];
    const wish = { resumedSessionId, model: 'gemini-2.5-pro', permissionMode: 'auto_edit' };
    expect(started(gemini, { ...wish, allowedTools }).args).toEqual([
      ...usual,
      `--resume=${resumedSessionId}`,
      '--model=gemini-2.5-pro',
      '--approval-mode=auto_edit',
      '--allowed-tools=run_shell_command(git status)',
      '--allowed-tools=write_file',
    ]);
  });

  test('so that its telemetry says whose work it is and goes nowhere else', () => {
    const telemetry = { endpoint: 'http://127.0.0.1:4318', token: 'for telemetry' };
    const environment = { GEMINI_TELEMETRY_OUTFILE: '/tmp/t', GEMINI_API_KEY: 'theirs' };
    expect(started(gemini, { team: 'café' }, { telemetry, environment }).env).toEqual({
      GEMINI_API_KEY: 'theirs',
      GEMINI_CLI_NO_RELAUNCH: 'true',
      GEMINI_TELEMETRY_ENABLED: 'true',
      GEMINI_TELEMETRY_TARGET: 'local',
      GEMINI_TELEMETRY_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      GEMINI_TELEMETRY_OTLP_PROTOCOL: 'http',
      GEMINI_TELEMETRY_LOG_PROMPTS: 'false',
      GEMINI_TELEMETRY_TRACES_ENABLED: 'false',
      GEMINI_TELEMETRY_OUTFILE: '',
      GEMINI_TELEMETRY_USE_CLI_AUTH: 'false',
      OTEL_RESOURCE_ATTRIBUTES: 'task.id=task-1,attempt.id=attempt-1,team.id=caf%C3%A9',
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20for%20telemetry',
      TRI_AGENT_TASK_ID: 'task-1',
      TRI_AGENT_ATTEMPT_ID: 'attempt-1',
    });
  });

  test('with what was set for its vendor, and no other', () => {
    const environment = {
      GEMINI_API_KEY: 'theirs',
      GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:1',
      ANTHROPIC_API_KEY: 'of another',
      OPENAI_API_KEY: 'of another',
    };
    expect(Object.keys(started(gemini, {}, { environment }).env)).toEqual([
      ...['GEMINI_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'GEMINI_CLI_NO_RELAUNCH'],
      ...['TRI_AGENT_TASK_ID', 'TRI_AGENT_ATTEMPT_ID'],
    ]);
  });
});

const init = { type: 'init', session_id: 's' };
const stats = { total_tokens: 20, input_tokens: 12, output_tokens: 5, cached: 4, input: 8 };
const result = { type: 'result', status: 'success', stats };
const saying = (content: string) => ({ type: 'message', role: 'assistant', content, delta: true });

describe('What Gemini CLI prints', () => {
  test('is a failure when there is no result, even with exit code 0, as it has when it is told to stop', () => {
    expect(run(gemini, [init, saying('Half an ')]).outcome).toEqual({
      is: 'failed',
      error: 'Gemini CLI ended with exit code 0 and told no result.',
      retryable: true,
      sessionId: 's',
    });
  });

  test('that says it does not know the session will not do better another time', () => {
    const stderrTail =
      'Error resuming session: Invalid session identifier "x".\n  Use --list-sessions to see more.\n';
    expect(run(gemini, [], { exitCode: 42, stderrTail }).outcome).toMatchObject({
      error:
        'Gemini CLI ended with exit code 42 and told no result: Error resuming session: Invalid session identifier "x".',
      retryable: false,
    });
  });

  test('that does not know the session that it was to carry on can begin anew', () => {
    expect(run(gemini, [], { exitCode: 42 }, true).outcome).toMatchObject({
      ...{ retryable: true, isConversationGone: true },
    });
  });

  test('is at a pause where a tool has come to something', () => {
    const lines = ['init', 'tool_use', 'tool_result', 'message'].map((type) => ({ type }));
    expect(pausesIn(gemini, lines)).toEqual([false, false, true, false]);
  });

  test('is no success when it ended badly after its result', () => {
    expect(run(gemini, [result], { exitCode: 1 }).outcome).toMatchObject({
      error: 'Gemini CLI told a result and then ended with exit code 1.',
      retryable: true,
    });
  });

  test('has an error that it told before its result', () => {
    const error = { type: 'error', severity: 'error', message: 'Maximum session turns exceeded' };
    const failure = { type: 'result', status: 'error', stats };
    expect(run(gemini, [init, error, failure], { exitCode: 53 })).toEqual({
      news: [
        { is: 'session', sessionId: 's' },
        { is: 'progress', what: 'error: Maximum session turns exceeded' },
      ],
      outcome: {
        is: 'failed',
        error: 'Gemini CLI gave up: Maximum session turns exceeded.',
        retryable: false,
        sessionId: 's',
      },
    });
  });

  test('has as its answer what it said last', () => {
    const tool = { type: 'tool_use', tool_name: 'read_file', parameters: { path: 'a' } };
    const lines = [
      saying('Let me '),
      saying('look.'),
      tool,
      saying('It is '),
      saying('A.'),
      result,
    ];
    const { news, outcome } = run(gemini, lines);
    expect(outcome).toMatchObject({ is: 'completed', result: 'It is A.' });
    expect(news).toEqual([
      { is: 'text', text: 'Let me look.' },
      { is: 'progress', what: 'read_file: a' },
      { is: 'text', text: 'It is A.' },
    ]);
  });

  test.each([
    ['more answered than there were', { ...stats, output_tokens: 9 }],
    ['half of one', { ...stats, input: 0.5 }],
    ['none', undefined],
  ])('with tokens that are %s is completed without them', (_what, wrong) => {
    expect(run(gemini, [{ ...result, stats: wrong }]).outcome).toMatchObject({ tokens: null });
  });

  test('may be anything, and counts as nothing when it was cut', () => {
    const reader = gemini.reader(false);
    expect(reader.line('Loaded cached credentials.', false)).toEqual([
      { is: 'progress', what: 'Loaded cached credentials.' },
    ]);
    reader.line(JSON.stringify(result), true);
    expect(reader.end(exited)).toMatchObject({ is: 'failed' });
  });
});

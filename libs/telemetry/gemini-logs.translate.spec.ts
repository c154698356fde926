import { log, logs, only, origin, response, sessionId, time } from './gemini.spec-helper.js';

const session = { sessionId, agent: 'gemini' };

describe('A configuration', () => {
  const started = (args: unknown) =>
    only(logs(log('gemini_cli.config', {}, { origin: origin({ 'process.command_args': args }) })));

  test.each([
    [undefined, 'fresh'],
    [['node', 'gemini.js', '-p', 'say hello'], 'fresh'],
    [['node', 'gemini.js', '--resume', sessionId], 'resume'],
    [['node', 'gemini.js', '--resume=latest'], 'resume'],
    [['node', 'gemini.js', '-r', 'latest'], 'resume'],
  ])('from the command line %j is a start that is %s', (args, startType) => {
    const { event } = started(args);
    expect(event.type).toBe('SessionStarted');
    // The version that the client's resource tells is Node's.
    expect(event.data).toEqual({ ...session, startType });
  });

  test('tells for whom the work is, where the process was told', () => {
    const from = origin({ 'task.id': 'T-1', team: 'red' });
    const { event } = only(logs(log('gemini_cli.config', {}, { origin: from })));
    expect(event.data).toMatchObject({ taskId: 'T-1', team: 'red' });
    expect(event.metadata.correlationId).toBe('T-1');
  });
});

describe('A prompt', () => {
  const prompt = { prompt_length: 15, prompt_id: sessionId, prompt: 'TOOLCALL run it' };

  test('is told by its length; its text is only content', () => {
    const { event, content } = only(logs(log('gemini_cli.user_prompt', prompt)));
    expect(event.type).toBe('PromptSubmitted');
    expect(event.data).toEqual({ ...session, promptCharacters: 15 });
    expect(content).toBe('TOOLCALL run it');
  });

  test('of a resumed session is another one, though the client gives both the same id', () => {
    const second = log('gemini_cli.user_prompt', prompt, { timeUnixNano: time + 1n });
    const result = logs(log('gemini_cli.user_prompt', prompt), second);
    expect(new Set(result.drafts.map(({ event }) => event.id)).size).toBe(2);
  });

  test('has no content where the client was told to send none', () => {
    const silent = log('gemini_cli.user_prompt', { prompt_length: 3 });
    expect(only(logs(silent))).not.toHaveProperty('content');
  });
});

describe('A request that failed', () => {
  test('is told with its status, and its attempt is unknown', () => {
    const failed = {
      model: 'gemini-2.5-pro',
      error: '{"error":{"code":429}}',
      status_code: 429,
      duration_ms: 16,
      role: 'main',
    };
    const { event } = only(logs(log('gemini_cli.api_error', failed)));
    expect(event.type).toBe('RequestFailed');
    expect(event.data).toEqual({
      ...session,
      thread: 'main',
      provider: 'google',
      model: 'gemini-2.5-pro',
      statusCode: 429,
      error: '{"error":{"code":429}}',
      attempt: null,
      durationMs: 16,
    });
  });

  test('for good, after bad content, is told with its attempts', () => {
    const given = { total_attempts: 4, final_error_type: 'NO_FINISH_REASON', model: 'm' };
    const { event } = only(logs(log('gemini_cli.chat.content_retry_failure', given)));
    expect(event.type).toBe('RetriesExhausted');
    expect(event.data).toMatchObject({ attempts: 4, error: 'NO_FINISH_REASON', model: 'm' });
    expect(logs(log('gemini_cli.chat.content_retry_failure')).rejected).toBe(1);
  });
});

describe('A tool call', () => {
  const call = {
    function_name: 'run_shell_command',
    duration_ms: 348,
    success: true,
    decision: 'accept',
    content_length: 185,
    function_args: '{"command":"ls"}',
  };
  const called = (values: object = {}) =>
    logs(log('gemini_cli.tool_call', { ...call, ...values })).drafts;

  test('is what was decided and how it ended, under one name', () => {
    const [decided, finished, ...others] = called();
    expect(others).toEqual([]);
    const toolUseId = finished!.event.id;
    const named = { ...session, toolUseId, toolName: 'run_shell_command' };
    expect(decided!.event.type).toBe('ToolDecided');
    expect(decided!.event.data).toEqual({ ...named, decision: 'accept', decidedBy: 'unknown' });
    expect(finished!.event.type).toBe('ToolFinished');
    expect(finished!.event.data).toEqual({
      ...named,
      succeeded: true,
      inputBytes: null,
      resultBytes: 185,
      durationMs: 348,
    });
    expect(finished!.content).toBe('function_args: {"command":"ls"}');
  });

  test.each([
    ['auto_accept', 'accept'],
    ['modify', 'accept'],
    ['reject', 'reject'],
  ])('that was decided by %s is an %s', (decision, told) => {
    expect(called({ decision })[0]!.event.data).toMatchObject({ decision: told });
  });

  test.each([undefined, null, 'perhaps', 7])('that %p decided only ended', (decision) => {
    expect(called({ decision }).map(({ event }) => event.type)).toEqual(['ToolFinished']);
  });

  test('that failed says why', () => {
    const finished = called({ success: false, error: 'Boom', error_type: 'execution_failed' })[1]!;
    expect(finished.event.data).toMatchObject({ succeeded: false, errorType: 'execution_failed' });
    expect(finished.content).toBe('function_args: {"command":"ls"}\n\nerror: Boom');
  });

  test.each([{ function_name: null }, { success: 'perhaps' }])('with %j is rejected', (values) => {
    const result = logs(log('gemini_cli.tool_call', { ...call, ...values }));
    expect([result.drafts.length, result.rejected]).toEqual([0, 1]);
  });
});

describe('A compression', () => {
  const compressed = (tokens_before: unknown, tokens_after: unknown) =>
    logs(log('gemini_cli.chat_compression', { tokens_before, tokens_after }));

  test('tells how full the context was and is', () => {
    const { event } = only(compressed(551_749, 12_000));
    expect(event.type).toBe('ContextCompacted');
    expect(event.data).toEqual({
      ...session,
      trigger: 'auto',
      succeeded: true,
      preTokens: 551_749,
      postTokens: 12_000,
      durationMs: null,
    });
  });

  test('that made the chat longer has failed', () => {
    expect(only(compressed(10, 11)).event.data).toMatchObject({ succeeded: false });
  });

  test('without numbers is rejected', () => {
    expect(compressed(10, undefined).rejected).toBe(1);
  });
});

describe('A subagent', () => {
  test('is told of when it has finished', () => {
    const given = { agent_id: 'a1', agent_name: 'explorer', duration_ms: 9, turn_count: 3 };
    const { event } = only(
      logs(log('gemini_cli.agent.start', given), log('gemini_cli.agent.finish', given)),
    );
    expect(event.type).toBe('SubagentFinished');
    expect(event.data).toMatchObject({ subagentId: 'a1', subagentType: 'explorer', durationMs: 9 });
  });
});

describe('Any other record', () => {
  test('is kept as it is when its name is not known', () => {
    const { drafts, unrecognised } = logs(log('gemini_cli.brand_new', { x: 1 }), log(''));
    expect(drafts).toEqual([]);
    expect(unrecognised.map(({ name }) => name)).toEqual(['brand_new', '(no name)']);
    expect(unrecognised[0]).toMatchObject({ clientVersion: '', record: { body: 'A sentence.' } });
  });

  test('of another service is left alone', () => {
    const other = log('gemini_cli.api_response', response, {
      origin: origin({ 'service.name': 'claude-code' }),
    });
    const { drafts, noise, rejected, unrecognised } = logs(other);
    expect([drafts.length, noise.size, rejected, unrecognised.length]).toEqual([0, 0, 0, 0]);
  });
});

import { limits } from '#kernel/limits.js';
import { log, logs, only, origin, request, sessionId } from './claude-code.spec-helper.js';

describe('Other log records', () => {
  test('a prompt is submitted, and its text is content, not data', () => {
    const { event, content } = only(
      logs(
        log('user_prompt', { 'message.uuid': 'm1', prompt_length: '22', prompt: 'Fix the bug' }),
      ),
    );
    expect(event.type).toBe('PromptSubmitted');
    expect(event.data).toEqual({
      sessionId,
      agent: 'claude-code',
      messageId: 'm1',
      promptCharacters: 22,
    });
    expect(content).toBe('Fix the bug');
    expect(JSON.stringify(event)).not.toContain('Fix the bug');
  });

  test.each(['user_prompt', 'assistant_response'])(
    '%s has no content when it was withheld',
    (name) => {
      const draft = only(logs(log(name, { prompt: '<REDACTED>', response: '<REDACTED>' })));
      expect(draft).not.toHaveProperty('content');
    },
  );

  test('an error is a failed request, its text cut between words', () => {
    const error = `${'word '.repeat(98)}secret-that-is-cut-off`;
    const { event } = only(
      logs(log('api_error', { error, status_code: 429, attempt: 4, request_id: 'r' })),
    );
    expect(event.type).toBe('RequestFailed');
    expect(event.data).toMatchObject({
      statusCode: 429,
      attempt: 4,
      model: 'unknown',
      thread: 'main',
    });
    const text = (event.data as { error: string }).error;
    expect(text.length).toBeLessThanOrEqual(limits.freeTextCharactersMax);
    expect(text).toBe('word '.repeat(98).trimEnd());
  });

  test('an error text without spaces is cut before the word that does not fit', () => {
    const key = 'k'.repeat(40);
    const error = `{"text":"${'a'.repeat(470)}","key":"${key}"}`;
    const { event } = only(logs(log('api_error', { error })));
    expect((event.data as { error: string }).error).toBe(error.slice(0, error.indexOf(key)));
    const { event: oneWord } = only(logs(log('api_error', { error: 'k'.repeat(501) })));
    expect((oneWord.data as { error: string }).error).toBe('');
  });

  test('retries that were used up are told with their number', () => {
    const { event } = only(
      logs(log('api_retries_exhausted', { error: 'limit', total_attempts: 4 })),
    );
    expect(event).toMatchObject({
      type: 'RetriesExhausted',
      data: { attempts: 4, statusCode: null },
    });
    expect(logs(log('api_retries_exhausted', { error: 'limit' })).rejected).toBe(1);
  });

  test('an answer is received', () => {
    const { event, content } = only(
      logs(
        log('assistant_response', {
          ...request,
          'message.uuid': 'm2',
          response_length: 21,
          response: 'Done.',
        }),
      ),
    );
    expect(event).toMatchObject({
      type: 'AnswerReceived',
      data: { messageId: 'm2', answerCharacters: 21 },
    });
    expect(content).toBe('Done.');
  });

  const tool = { tool_name: 'Bash', tool_use_id: 'toolu_1', request_id: 'r' };

  test('a tool decision says who decided', () => {
    const { event } = only(
      logs(log('tool_decision', { ...tool, decision: 'reject', source: 'hook' })),
    );
    expect(event).toMatchObject({
      type: 'ToolDecided',
      data: { decision: 'reject', decidedBy: 'hook' },
    });
    expect(logs(log('tool_decision', { ...tool, decision: 'maybe' })).rejected).toBe(1);
  });

  test('a tool result comes in strings and becomes numbers and truth', () => {
    const { event, content } = only(
      logs(
        log('tool_result', {
          ...tool,
          success: 'false',
          duration_ms: '46',
          tool_input_size_bytes: '75',
          error_type: 'ShellError',
          tool_input: '{"command":"ls"}',
          error: 'exit 1',
        }),
      ),
    );
    expect(event.data).toEqual({
      sessionId,
      agent: 'claude-code',
      requestId: 'r',
      toolUseId: 'toolu_1',
      toolName: 'Bash',
      succeeded: false,
      errorType: 'ShellError',
      inputBytes: 75,
      resultBytes: null,
      durationMs: 46,
    });
    expect(content).toBe('tool_input: {"command":"ls"}\n\nerror: exit 1');
  });

  test('a tool result of an older client, which does not name the call, is kept', () => {
    const { event } = only(logs(log('tool_result', { tool_name: 'Read', success: true })));
    expect(event.data).toMatchObject({ toolUseId: event.id, succeeded: true });
  });

  test('a compaction tells the tokens before and after', () => {
    const { event } = only(
      logs(
        log('compaction', {
          trigger: 'manual',
          success: 'true',
          pre_tokens: '2806',
          post_tokens: '2695',
        }),
      ),
    );
    expect(event).toMatchObject({
      type: 'ContextCompacted',
      data: { trigger: 'manual', succeeded: true, preTokens: 2806, postTokens: 2695 },
    });
  });

  test('a subagent finishes', () => {
    const { event } = only(
      logs(
        log('subagent_completed', {
          agent_id: 'a1',
          agent_type: 'Explore',
          is_async: true,
          total_tokens: 17240,
        }),
      ),
    );
    expect(event).toMatchObject({
      type: 'SubagentFinished',
      data: { subagentId: 'a1', subagentType: 'Explore', background: true, totalTokens: 17240 },
    });
  });

  test('known chatter is counted by name', () => {
    const { noise, drafts } = logs(
      log('hook_registered'),
      log('hook_registered'),
      log('at_mention'),
    );
    expect(drafts).toEqual([]);
    expect(noise).toEqual(
      new Map([
        ['hook_registered', 2],
        ['at_mention', 1],
      ]),
    );
  });

  test('an unknown name is kept as it came', () => {
    const { unrecognised, noise } = logs(
      log('quantum_leap', { a: 1 }),
      log('', {}, { body: null }),
    );
    expect(noise.size).toBe(0);
    expect(unrecognised).toEqual([
      expect.objectContaining({ name: 'quantum_leap', clientVersion: '2.1.329' }),
      expect.objectContaining({ name: '(no name)' }),
    ]);
    expect(() => JSON.stringify(unrecognised)).not.toThrow();
  });

  test("another agent's records are left alone", () => {
    const foreign = log('api_request', request, { origin: origin({ 'service.name': 'codex' }) });
    expect(logs(foreign)).toEqual(logs());
  });
});

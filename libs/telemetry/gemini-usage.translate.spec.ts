import { log, logs, only, origin, response, sessionId, time } from './gemini.spec-helper.js';

const session = { sessionId, agent: 'gemini' };

describe('A request that was answered', () => {
  const usage = (values: object = {}) =>
    only(logs(log('gemini_cli.api_response', { ...response, ...values }))).event;

  test('is usage: cached tokens out of the input, thoughts into the output, an unknown cost', () => {
    expect(usage()).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      type: 'UsageRecorded',
      data: {
        ...session,
        thread: 'main',
        provider: 'google',
        model: 'gemini-2.5-pro',
        tier: null,
        inputTokens: 12019 - 8413,
        outputTokens: 18 + 48,
        cacheReadTokens: 8413,
        cacheCreationTokens: 0,
        cacheCreation1hTokens: null,
        reasoningTokens: 48,
        costNanoUsd: null,
        costOrigin: 'unknown',
        computedNanoUsd: null,
        priceVersion: null,
        durationMs: 284,
        timeToFirstTokenMs: null,
      },
      metadata: {
        actor: 'agent:gemini',
        source: 'gemini/unknown logs',
        occurredAt: '2026-11-20T17:59:00.123Z',
      },
    });
  });

  test('counts what tools beside the model read as input', () => {
    expect(usage({ tool_token_count: 7, total_token_count: 12092 }).data).toMatchObject({
      inputTokens: 12019 - 8413 + 7,
      outputTokens: 66,
    });
  });

  test('never has less than no input', () => {
    expect(usage({ cached_content_token_count: 12020 }).data).toMatchObject({
      inputTokens: 0,
      cacheReadTokens: 12020,
    });
  });

  test('that tells no thoughts has an unknown number of them', () => {
    expect(usage({ thoughts_token_count: null }).data).toMatchObject({
      outputTokens: 18,
      reasoningTokens: null,
    });
  });

  test.each([
    ['main', 'main'],
    [null, 'main'],
    ['subagent', 'subagent'],
    ['utility_compressor', 'compaction'],
    ['utility_router', 'auxiliary'],
  ])('with the role %s belongs to the thread %s', (role, thread) => {
    expect(usage({ role }).data).toMatchObject({ thread });
  });

  test('says by its kind of login which of the two services answered', () => {
    expect(usage({ auth_type: 'vertex-ai' }).data).toMatchObject({ provider: 'vertex-ai' });
    expect(usage({ auth_type: 'oauth-personal' }).data).toMatchObject({ provider: 'google' });
  });

  test('names its prompt unless that is the name of the session', () => {
    expect(usage().data).not.toHaveProperty('promptId', sessionId);
    expect(usage({ prompt_id: `${sessionId}########2` }).data).toMatchObject({
      promptId: `${sessionId}########2`,
    });
  });

  test('of the same size at another time has another id, and the same one when sent again', () => {
    const record = log('gemini_cli.api_response', response);
    const again = only(logs(record)).event.id;
    const later = only(logs({ ...record, timeUnixNano: time + 1_000_000n })).event.id;
    expect(usage().id).toBe(again);
    expect(later).not.toBe(again);
  });

  test.each([
    [{ input_token_count: -1 }, 'a number of tokens is not a whole number from 0 up'],
    [{ thoughts_token_count: 'many' }, 'a number of tokens is not a whole number from 0 up'],
    [
      { output_token_count: Number.MAX_SAFE_INTEGER },
      'a number of tokens is not a whole number from 0 up',
    ],
    [
      { input_token_count: null, output_token_count: null },
      'it has neither input_token_count nor output_token_count',
    ],
  ])('is rejected with %j', (values, reason) => {
    const result = logs(log('gemini_cli.api_response', { ...response, ...values }));
    expect(result.drafts).toEqual([]);
    expect(result.rejected).toBe(1);
    expect(result.rejectedBecause).toBe(`api_response: ${reason}.`);
  });

  test('is counted once, though the client tells of it in the words of GenAI too', () => {
    const twin = log('gen_ai.client.inference.operation.details', {
      'gen_ai.usage.input_tokens': 12019,
      'gen_ai.usage.output_tokens': 18,
    });
    const result = logs(log('gemini_cli.api_response', response), twin);
    expect(only(result).event.type).toBe('UsageRecorded');
    expect([...result.noise]).toEqual([['gen_ai.client.inference.operation.details', 1]]);
  });

  test('without a session of its own belongs to that of its process, else to nobody', () => {
    const lone = { ...response, 'session.id': null };
    expect(usage(lone).data).toMatchObject({ sessionId });
    const none = log('gemini_cli.api_response', lone, { origin: origin({ 'session.id': '' }) });
    expect(only(logs(none)).event.data).toMatchObject({ sessionId: 'unattributed' });
  });
});

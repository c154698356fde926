import { only } from './translation.spec-helper.js';
import {
  attributesOf,
  completed,
  happenedAt,
  log,
  logs,
  origin,
  point,
  receivedAt,
  sessionId,
  span,
  threadMadeAt,
  time,
} from './codex.spec-helper.js';
import { codex } from './codex.translate.js';

const noise = (...records: Parameters<typeof logs>) => Object.fromEntries(logs(...records).noise);

describe("The end of Codex's stream", () => {
  test('is usage with tokens that do not overlap, at a cost that is unknown and not 0', () => {
    const { event } = only(logs(log('sse_event', completed)));
    expect(event.type).toBe('UsageRecorded');
    expect(event.data).toEqual({
      agent: 'codex',
      sessionId,
      thread: 'main',
      provider: 'unknown',
      model: 'gpt-5.6-sol',
      tier: null,
      inputTokens: 1478,
      outputTokens: 96,
      cacheReadTokens: 9472,
      cacheCreationTokens: 1000,
      cacheCreation1hTokens: null,
      reasoningTokens: 64,
      costNanoUsd: null,
      costOrigin: 'unknown',
      computedNanoUsd: null,
      priceVersion: null,
      durationMs: null,
      timeToFirstTokenMs: 148,
    });
    expect(event.metadata).toMatchObject({
      actor: 'agent:codex',
      source: 'codex/0.169.0 logs',
      occurredAt: happenedAt,
    });
  });

  test('over a web socket is the same', () => {
    const { event } = only(logs(log('websocket_event', completed)));
    expect(event.data).toEqual(only(logs(log('sse_event', completed))).event.data);
  });

  test('is told twice and counts once; its other pieces are noise', () => {
    const twin = log('sse_event', { 'event.kind': 'response.completed', duration_ms: '0' });
    const piece = log('sse_event', { 'event.kind': 'response.output_text.delta' });
    const result = logs(twin, log('sse_event', completed), piece, piece);
    expect(only(result).event.type).toBe('UsageRecorded');
    expect(result.noise).toEqual(
      new Map([
        ['stream/twin', 1],
        ['stream/fragment', 2],
      ]),
    );
  });

  test('of two requests that cost the same is two events, of one that is sent again one', () => {
    const ids = (observedTimeUnixNano: bigint) =>
      only(logs(log('sse_event', completed, { observedTimeUnixNano }))).event.id;
    expect(ids(time + 1n)).not.toBe(ids(time));
    expect(ids(time)).toBe(ids(time));
  });

  test('tells a failure once, by what broke the stream', () => {
    const broken = { 'error.message': 'idle timeout waiting for SSE' };
    const result = logs(
      log('sse_event', broken),
      log('sse_event', { ...broken, 'event.kind': 'response.completed' }),
    );
    expect(only(result).event).toMatchObject({
      type: 'RequestFailed',
      data: { error: 'idle timeout waiting for SSE', statusCode: null, attempt: null },
    });
    expect(result.noise).toEqual(new Map([['stream/fragment_failed', 1]]));
  });

  test.each([
    [{ input_token_count: '9000' }, 'more cached tokens than input tokens'],
    [{ input_token_count: 'many' }, 'whole number'],
    [{ output_token_count: -1 }, 'whole number'],
    [{ cached_token_count: 0.5 }, 'whole number'],
  ])('with %j is rejected', (values, reason) => {
    const result = logs(log('sse_event', { ...completed, ...values }));
    expect(result.drafts).toEqual([]);
    expect(result).toMatchObject({
      rejected: 1,
      rejectedBecause: expect.stringContaining(reason) as string,
    });
  });

  test('that names no thread still counts', () => {
    const { event } = only(logs(log('sse_event', { ...completed, 'conversation.id': undefined })));
    expect(event.data).toMatchObject({ sessionId: 'unattributed', inputTokens: 1478 });
  });

  test('is attributed to the task that the resource names', () => {
    const launched = { origin: origin({ 'task.id': 't1', 'attempt.id': 'a1', team: 'core' }) };
    const { event } = only(logs(log('sse_event', completed, launched)));
    expect(event.data).toMatchObject({ taskId: 't1', attemptId: 'a1', team: 'core' });
    expect(event.metadata.correlationId).toBe('t1');
  });
});

describe("Codex's threads and prompts", () => {
  test('a thread is fresh when its id is as old as its start, else it is resumed', () => {
    const startOf = (id: string) =>
      only(logs(log('conversation_starts', { provider_name: 'Mock', 'conversation.id': id })))
        .event;
    expect(startOf(sessionId)).toMatchObject({
      type: 'SessionStarted',
      data: { startType: 'fresh', clientVersion: '0.169.0' },
    });
    const old = threadMadeAt('2026-11-20T17:58:00.000Z');
    expect(startOf(old).data).toMatchObject({ startType: 'resume' });
    expect(startOf('1809ede4-1606-468c-bee8-e44e40ea4009').data).toMatchObject({
      startType: 'fresh',
    });
  });

  test("a prompt's text is content, not data, and none when it was withheld", () => {
    const { event, content } = only(
      logs(log('user_prompt', { prompt_length: '11', prompt: 'Fix the bug' })),
    );
    expect(event.type).toBe('PromptSubmitted');
    expect(event.data).toEqual({ agent: 'codex', sessionId, promptCharacters: 11 });
    expect(content).toBe('Fix the bug');
    const withheld = only(logs(log('user_prompt', { prompt: '[REDACTED]' })));
    expect(withheld).not.toHaveProperty('content');
  });

  test("an answer's text is content", () => {
    const { event, content } = only(
      logs(log('agent_response', { 'item.id': 'm1', response: 'Done.', response_length: 5 })),
    );
    expect(event).toMatchObject({
      type: 'AnswerReceived',
      data: { messageId: 'm1', answerCharacters: 5, thread: 'main' },
    });
    expect(content).toBe('Done.');
  });
});

describe("Codex's requests", () => {
  const answered = {
    'http.response.status_code': 200,
    attempt: 0,
    duration_ms: '14',
    endpoint: '/responses',
    'auth.request_id': 'req_1',
  };

  test('that are answered at once are noise, as the end of their stream tells more', () => {
    expect(noise(log('api_request', answered))).toEqual({ 'api_request/ok': 1 });
  });

  test('that took several attempts were retried; Codex counts them from 0', () => {
    const { event } = only(logs(log('api_request', { ...answered, attempt: 2 })));
    expect(event).toMatchObject({
      type: 'RequestRetried',
      data: { attempts: 3, succeeded: true, durationMs: 14, requestId: 'req_1' },
    });
    const beyondCounting = { ...answered, attempt: Number.MAX_SAFE_INTEGER };
    expect(noise(log('api_request', beyondCounting))).toEqual({ 'api_request/ok': 1 });
  });

  test.each([
    [{ 'http.response.status_code': 429, 'error.message': 'http 429' }, 429, 'http 429'],
    [{ 'http.response.status_code': 503 }, 503, ''],
    [{ 'http.response.status_code': undefined, 'error.message': 'no route' }, null, 'no route'],
  ])('with %j have failed', (values, statusCode, error) => {
    const { event } = only(logs(log('api_request', { ...answered, ...values })));
    expect(event).toMatchObject({
      type: 'RequestFailed',
      data: { statusCode, error, attempt: 1, durationMs: 14, requestId: 'req_1' },
    });
  });

  test('for the list of models are no requests of a model', () => {
    const list = { ...answered, endpoint: '/models', 'http.response.status_code': 500 };
    expect(noise(log('api_request', list))).toEqual({ 'api_request/other': 1 });
  });

  test('fail when their web socket cannot be opened', () => {
    const { event } = only(
      logs(log('websocket_connect', { success: 'false', attempt: undefined })),
    );
    expect(event).toMatchObject({ type: 'RequestFailed', data: { attempt: null } });
    expect(noise(log('websocket_connect', { success: 'true' }))).toEqual({
      'websocket_connect/ok': 1,
    });
    expect(logs(log('websocket_connect')).rejected).toBe(1);
  });
});

describe('What else Codex sends', () => {
  test('is noise by name where it is known', () => {
    const line = log('', {}, { attributes: attributesOf({}), body: 'flushing OTEL metrics' });
    expect(noise(log('startup_phase'), log('turn_ttft'), log('turn_ttft'), line)).toEqual({
      startup_phase: 1,
      turn_ttft: 2,
      program_log: 1,
    });
  });

  test('is kept as it came where it is not', () => {
    const nameless = log('', {}, { attributes: attributesOf({ a: 1 }), eventName: '' });
    const { unrecognised } = logs(log('quantum_leap'), nameless);
    expect(unrecognised).toEqual([
      expect.objectContaining({
        name: 'quantum_leap',
        clientVersion: '0.169.0',
        occurredAt: happenedAt,
      }),
      expect.objectContaining({ name: '(no name)' }),
    ]);
  });

  test('in metrics and spans is noise, but for metrics of a new name', () => {
    const records = [point('codex.task.compact'), point('codex.novel'), point('novel')];
    const metrics = codex.translate({ signal: 'metrics', records }, receivedAt);
    expect(metrics.noise).toEqual(new Map([['task.compact', 1]]));
    expect(metrics.unrecognised.map(({ name }) => name)).toEqual(['codex.novel', 'novel']);
    const spans = { signal: 'traces' as const, records: [span('run_turn'), span('novel')] };
    expect(codex.translate(spans, receivedAt).noise).toEqual(new Map([['span', 2]]));
  });

  test.each(['codex_cli_rs', 'codex-tui', 'codex_vscode'])('from %s is read too', (name) => {
    expect(codex.serviceNames).toContain(name);
    const result = logs(log('sse_event', completed, { origin: origin({ 'service.name': name }) }));
    expect(only(result).event.type).toBe('UsageRecorded');
  });

  test('from another agent is left alone', () => {
    const foreign = { origin: origin({ 'service.name': 'claude-code' }) };
    expect(logs(log('sse_event', completed, foreign))).toEqual(logs());
  });
});

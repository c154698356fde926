import fc from 'fast-check';
import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Export } from './otlp.records.js';
import {
  attributesOf,
  log,
  only,
  origin,
  point,
  receivedAt,
  request,
  span,
  start,
  time,
  traces,
  translate,
} from './claude-code.spec-helper.js';

describe('Spans', () => {
  const llm = { request_id: 'r', model: 'sonnet', success: true, duration_ms: 4554 };

  test('tell only of requests that took more than one attempt', () => {
    const { event } = only(
      traces(
        span('claude_code.llm_request', { ...llm, attempt: 3 }),
        span('claude_code.llm_request', { ...llm, attempt: 1 }),
        span('claude_code.tool'),
      ),
    );
    expect(event).toMatchObject({
      type: 'RequestRetried',
      data: { requestId: 'r', attempts: 3, succeeded: true, durationMs: 4554 },
    });
  });

  test('are counted by name, kept when unknown and rejected when hostile', () => {
    const result = traces(
      span('claude_code.tool.execution'),
      span('claude_code.novel'),
      span('claude_code.llm_request', { attempt: -1 }),
    );
    expect(result.noise).toEqual(new Map([['tool.execution', 1]]));
    expect(result.unrecognised.map(({ name }) => name)).toEqual(['claude_code.novel']);
    expect(result.rejected).toBe(1);
  });
});

describe('Whatever a client sends', () => {
  const hostile = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      '',
      'true',
      'false',
      '__proto__',
      '\ud800',
      'x'.repeat(300),
      -1,
      0.5,
      NaN,
    ),
    fc.constantFrom<unknown>(
      Infinity,
      1e300,
      2 ** 53,
      '1e3',
      'accept',
      'auto',
      'agent:',
      'compact',
      'input',
    ),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.double(),
    fc.nat(),
    fc.boolean(),
    fc.array(fc.string(), { maxLength: 2 }),
  );
  const keys = [
    ...Object.keys(request),
    ...[
      'session.id',
      'event.timestamp',
      'message.uuid',
      'prompt',
      'prompt_length',
      'error',
      'attempt',
    ],
    ...[
      'status_code',
      'total_attempts',
      'response',
      'decision',
      'source',
      'tool_name',
      'tool_use_id',
    ],
    ...[
      'success',
      'trigger',
      'pre_tokens',
      'agent_id',
      'agent.name',
      'agent_type',
      'type',
      'start_type',
    ],
    ...[
      'tool_input',
      'task.id',
      'user.id',
      'language',
      'query_source',
      'command_name',
      'error_type',
    ],
  ];
  const attributes = fc
    .dictionary(fc.constantFrom(...keys), hostile, { maxKeys: 25 })
    .map(attributesOf);
  const anyOrigin = fc.constantFrom(
    origin(),
    origin({ 'service.version': 'v'.repeat(300), 'task.id': 7 }),
  );
  const anyTime = fc.oneof(
    fc.constantFrom(time, start, 0n),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );

  const anyLog = fc
    .record({
      base: fc.constantFrom(
        ...[
          'user_prompt',
          'api_request',
          'api_error',
          'api_retries_exhausted',
          'assistant_response',
        ],
        ...[
          'tool_decision',
          'tool_result',
          'compaction',
          'subagent_completed',
          'plugin_loaded',
          'else',
        ],
      ),
      attributes,
      timeUnixNano: anyTime,
      origin: anyOrigin,
    })
    .map(({ base, ...rest }) => {
      const record = log(base, {}, rest);
      return { ...record, attributes: attributesOf({ ...rest.attributes, 'event.name': base }) };
    });
  const anyPoint = fc
    .record({
      name: fc.constantFrom(
        ...[
          'session.count',
          'token.usage',
          'cost.usage',
          'lines_of_code.count',
          'active_time.total',
        ],
        ...['code_edit_tool.decision', 'commit.count', 'else'],
      ),
      value: fc.oneof(fc.constant(null), fc.double(), fc.nat()),
      attributes,
      timeUnixNano: anyTime,
      startTimeUnixNano: anyTime,
      temporality: fc.constantFrom('delta' as const, 'cumulative' as const, 'unspecified' as const),
      origin: anyOrigin,
    })
    .map(({ name, value, ...rest }) => point(name, value, {}, rest));
  const anySpan = fc
    .tuple(
      fc.constantFrom('claude_code.llm_request', 'claude_code.tool', 'else'),
      attributes,
      anyTime,
    )
    .map(([name, values, endTimeUnixNano]) => ({
      ...span(name),
      attributes: values,
      endTimeUnixNano,
    }));
  const anyExport: fc.Arbitrary<Export> = fc.oneof(
    fc.array(anyLog, { maxLength: 5 }).map((records) => ({ signal: 'logs' as const, records })),
    fc
      .array(anyPoint, { maxLength: 8 })
      .map((records) => ({ signal: 'metrics' as const, records })),
    fc.array(anySpan, { maxLength: 5 }).map((records) => ({ signal: 'traces' as const, records })),
  );

  test('every event that comes of it may be appended, and every record is accounted for', () => {
    fc.assert(
      fc.property(anyExport, (batch) => {
        const { drafts, noise, rejected, unrecognised } = translate(batch);
        for (const { event } of drafts) expect(faultOf(event)).toBeUndefined();
        const accounted =
          [...noise.values()].reduce((a, b) => a + b, rejected) + unrecognised.length;
        if (batch.signal === 'metrics') expect(accounted).toBeLessThanOrEqual(batch.records.length);
        else expect(accounted + drafts.length).toBe(batch.records.length);
        expect(rejected === 0).toBe(translate(batch).rejectedBecause === '');
      }),
      { numRuns: 3000 },
    );
  });

  test('the same again, later, is the same events', () => {
    fc.assert(
      fc.property(anyExport, (batch) => {
        const ids = (at: string) => translate(batch, at).drafts.map(({ event }) => event.id);
        expect(ids('2026-11-20T18:00:09.000Z')).toEqual(ids(receivedAt));
      }),
      { numRuns: 500 },
    );
  });
});

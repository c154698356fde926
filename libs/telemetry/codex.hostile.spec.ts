import fc from 'fast-check';
import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import {
  attributesOf,
  completed,
  log,
  point,
  receivedAt,
  sessionId,
  time,
} from './codex.spec-helper.js';
import { codex } from './codex.translate.js';
import type { Export } from './otlp.records.js';

describe('Whatever claims to be Codex', () => {
  const hostile = fc.oneof(
    fc.constantFrom<unknown>(null, '', 'true', 'false', '__proto__', '\ud800', 'x'.repeat(300)),
    fc.constantFrom<unknown>(-1, 0.5, NaN, Infinity, 1e300, 2 ** 53 - 1, 2 ** 53, '1e3', '200'),
    fc.constantFrom<unknown>(
      'response.completed',
      'approved',
      'abort',
      'exec',
      '/models',
      sessionId,
    ),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.double(),
    fc.nat(),
    fc.boolean(),
    fc.array(fc.string(), { maxLength: 2 }),
  );
  const keys = [
    ...Object.keys(completed),
    ...['conversation.id', 'event.timestamp', 'model', 'prompt', 'prompt_length', 'error.message'],
    ...['attempt', 'http.response.status_code', 'endpoint', 'auth.request_id', 'duration_ms'],
    ...['success', 'tool_name', 'call_id', 'decision', 'source', 'arguments', 'output', 'task.id'],
    ...['output_truncated', 'item.id', 'response', 'response_length', 'user.id', 'event.name'],
  ];
  const names = [
    ...['conversation_starts', 'user_prompt', 'api_request', 'websocket_connect', 'sse_event'],
    ...['websocket_event', 'agent_response', 'tool_decision', 'tool_result', 'turn_cost', 'else'],
  ];
  const attributes = fc
    .dictionary(fc.constantFrom(...keys), hostile, { maxKeys: 25 })
    .map(attributesOf);
  const anyTime = fc.oneof(fc.constantFrom(time, 0n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
  const sound = {
    ...completed,
    attempt: 1,
    success: 'true',
    tool_name: 'shell',
    decision: 'denied',
    'http.response.status_code': 200,
  };
  const anyLog = fc
    .record({
      name: fc.constantFrom(...names),
      base: fc.constantFrom({}, sound),
      attributes,
      observed: anyTime,
      told: anyTime,
    })
    .map(({ name, base, attributes: values, observed, told }) =>
      log(name, { ...base, ...values }, { observedTimeUnixNano: observed, timeUnixNano: told }),
    );
  const anyPoint = fc
    .record({ name: fc.constantFrom('codex.task.compact', 'codex.', 'x'), attributes })
    .map(({ name, ...rest }) => point(name, rest));
  const anyExport: fc.Arbitrary<Export> = fc.oneof(
    fc.array(anyLog, { maxLength: 6 }).map((records) => ({ signal: 'logs' as const, records })),
    fc
      .array(anyPoint, { maxLength: 4 })
      .map((records) => ({ signal: 'metrics' as const, records })),
  );

  test('every event that comes of it may be appended, and every record is accounted for', () => {
    const types = new Set<string>();
    fc.assert(
      fc.property(anyExport, (batch) => {
        const result = codex.translate(batch, receivedAt);
        for (const { event } of result.drafts) {
          types.add(event.type);
          expect(faultOf(event)).toBeUndefined();
        }
        const ignored = [...result.noise.values()].reduce((a, b) => a + b, 0);
        const { drafts, rejected, unrecognised } = result;
        expect(drafts.length + ignored + rejected + unrecognised.length).toBe(batch.records.length);
        expect(rejected === 0).toBe(result.rejectedBecause === '');
      }),
      { numRuns: 3000 },
    );
    // Else the property would hold of nothing.
    expect(types.size).toBe(8);
  });

  test('the same again, later, is the same events', () => {
    fc.assert(
      fc.property(anyExport, (batch) => {
        const ids = (at: string) => codex.translate(batch, at).drafts.map(({ event }) => event.id);
        expect(ids('2026-11-20T18:00:09.000Z')).toEqual(ids(receivedAt));
      }),
      { numRuns: 500 },
    );
  });
});

import fc from 'fast-check';
import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Export } from './otlp.records.js';
import {
  attributesOf,
  log,
  origin,
  point,
  receivedAt,
  span,
  start,
  time,
  translate,
} from './gemini.spec-helper.js';

/** Whatever a record says, the translator does not fail, and what it makes of it may be appended. */

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('x'.repeat(5000), '\ud800', '', '-1', '1e400', '42', 'true', 'accept', 'input'),
  fc.double(),
  fc.integer(),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, -0, 0, 7),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
  fc.dictionary(fc.string({ maxLength: 5 }), fc.integer(), { maxKeys: 3 }),
);

const keys = `session.id event.timestamp auth_type model role prompt_id prompt prompt_length
  input_token_count output_token_count cached_content_token_count thoughts_token_count
  tool_token_count duration_ms status_code error error.message total_attempts final_error_type
  tokens_before tokens_after function_name success decision content_length function_args error_type
  agent_id agent_name type task.id user.id`.split(/\s+/);
const attributes = fc
  .dictionary(fc.constantFrom(...keys), hostile, { maxKeys: 25 })
  .map(attributesOf);
const anyOrigin = fc
  .record({ 'session.id': hostile, 'process.command_args': hostile, 'task.id': hostile })
  .map(origin);
const anyTime = fc.oneof(
  fc.constantFrom(time, start, 0n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

const eventNames = `gemini_cli.config gemini_cli.user_prompt gemini_cli.api_response
  gemini_cli.api_error gemini_cli.chat.content_retry_failure gemini_cli.chat_compression
  gemini_cli.tool_call gemini_cli.agent.finish gemini_cli.api_request else`.split(/\s+/);
const anyLog = fc
  .record({
    name: fc.constantFrom(...eventNames),
    attributes,
    timeUnixNano: anyTime,
    origin: anyOrigin,
  })
  .map(({ name, ...rest }) => {
    const named = { ...rest.attributes, 'event.name': name };
    return { ...log(name, {}, rest), attributes: attributesOf(named) };
  });
const metricNames = [
  'gemini_cli.token.usage',
  'gemini_cli.lines.changed',
  'gemini_cli.session.count',
  'else',
];
const anyPoint = fc
  .record({
    name: fc.constantFrom(...metricNames),
    value: fc.oneof(fc.constant(null), fc.double(), fc.nat(), fc.maxSafeNat()),
    type: fc.constantFrom('input', 'output', 'cache', 'thought', 'tool', 'added', 'else'),
    attributes,
    timeUnixNano: anyTime,
    startTimeUnixNano: anyTime,
    kind: fc.constantFrom('sum' as const, 'sum' as const, 'histogram' as const),
    temporality: fc.constantFrom('delta' as const, 'cumulative' as const, 'unspecified' as const),
    origin: anyOrigin,
  })
  .map(({ name, value, type, ...rest }) => {
    const typed = attributesOf({ ...rest.attributes, type });
    return { ...point(name, value, {}, rest), attributes: typed };
  });
const anySpan = fc
  .tuple(fc.constantFrom('llm_call', 'else'), attributes, anyTime)
  .map(([name, values, endTimeUnixNano]) => ({
    ...span(name),
    attributes: values,
    endTimeUnixNano,
  }));
const upTo = { maxLength: 8 };
const anyExport: fc.Arbitrary<Export> = fc.oneof(
  fc.array(anyLog, upTo).map((records) => ({ signal: 'logs' as const, records })),
  fc.array(anyPoint, upTo).map((records) => ({ signal: 'metrics' as const, records })),
  fc.array(anySpan, upTo).map((records) => ({ signal: 'traces' as const, records })),
);

describe('Whatever a client sends', () => {
  test('every event that comes of it may be appended, and every record is accounted for', () => {
    fc.assert(
      fc.property(anyExport, (batch) => {
        const { drafts, noise, rejected, rejectedBecause, unrecognised } = translate(batch);
        for (const { event } of drafts) expect(faultOf(event)).toBeUndefined();
        const left = [...noise.values()].reduce((a, b) => a + b, rejected) + unrecognised.length;
        const decided = drafts.filter(({ event }) => event.type === 'ToolDecided').length;
        if (batch.signal === 'metrics') expect(left).toBeLessThanOrEqual(batch.records.length);
        else expect(left + drafts.length - decided).toBe(batch.records.length);
        expect(rejected === 0).toBe(rejectedBecause === '');
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

import { gemini } from './gemini.translate.js';
import type { Export, LogRecord, MetricPoint, Origin, Span } from './otlp.records.js';
import { attributesOf, receivedAt, start, time } from './translation.spec-helper.js';

export { attributesOf, receivedAt, start, time };
export { only } from './translation.spec-helper.js';

/** Records as Gemini CLI sends them, for tests to vary. */

export const sessionId = 'a9e870ca-cd07-405c-a286-f4c040c0afa3';

export function origin(resource: object = {}): Origin {
  return {
    resource: attributesOf({
      'service.name': 'gemini-cli',
      'service.version': 'v20.20.2',
      'session.id': sessionId,
      ...resource,
    }),
    scopeName: 'gemini-cli',
    scopeVersion: '',
  };
}

const common = { 'session.id': sessionId, interactive: false, auth_type: 'gemini-api-key' };

export function log(name: string, values: object = {}, rest: Partial<LogRecord> = {}): LogRecord {
  return {
    origin: origin(),
    timeUnixNano: time,
    observedTimeUnixNano: time,
    eventName: '',
    severityText: '',
    body: 'A sentence.',
    attributes: attributesOf({ ...common, 'event.name': name, ...values }),
    traceId: '',
    spanId: '',
    ...rest,
  };
}

export function point(
  name: string,
  value: number | null,
  values: object = {},
  rest: Partial<MetricPoint> = {},
): MetricPoint {
  return {
    origin: origin(),
    name,
    unit: '',
    kind: 'sum',
    temporality: 'cumulative',
    monotonic: true,
    startTimeUnixNano: start,
    timeUnixNano: time,
    value,
    attributes: attributesOf({ ...common, ...values }),
    ...rest,
  };
}

export function span(name: string, values: object = {}): Span {
  return {
    origin: origin(),
    name,
    traceId: '82499e3f7886294ea7c604ba31b9e5dd',
    spanId: 'c01741f45d8c2e67',
    parentSpanId: '',
    startTimeUnixNano: start,
    endTimeUnixNano: time,
    statusCode: 1,
    statusMessage: '',
    attributes: attributesOf({ 'gen_ai.conversation.id': sessionId, ...values }),
    events: [],
  };
}

export function translate(batch: Export, at = receivedAt) {
  return gemini.translate(batch, at);
}

export function logs(...records: LogRecord[]) {
  return translate({ signal: 'logs', records });
}

export function metrics(...records: MetricPoint[]) {
  return translate({ signal: 'metrics', records });
}

export function traces(...records: Span[]) {
  return translate({ signal: 'traces', records });
}

/** What is said of one request that was answered: 12,085 tokens in all. */
export const response = {
  model: 'gemini-2.5-pro',
  duration_ms: 284,
  input_token_count: 12019,
  output_token_count: 18,
  cached_content_token_count: 8413,
  thoughts_token_count: 48,
  tool_token_count: 0,
  total_token_count: 12085,
  prompt_id: sessionId,
  status_code: 200,
  role: 'main',
};

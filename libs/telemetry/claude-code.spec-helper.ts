import type { Export, LogRecord, MetricPoint, Origin, Span } from './otlp.records.js';
import { claudeCode } from './claude-code.translate.js';
import { attributesOf, receivedAt, start, time } from './translation.spec-helper.js';

export { attributesOf, receivedAt, start, time };
export { only } from './translation.spec-helper.js';

/** Records as Claude Code sends them, for tests to vary. */

export const sessionId = '1809ede4-1606-468c-bee8-e44e40ea4009';

export function origin(resource: object = {}): Origin {
  return {
    resource: attributesOf({
      'service.name': 'claude-code',
      'service.version': '2.1.329',
      ...resource,
    }),
    scopeName: 'com.anthropic.claude_code.events',
    scopeVersion: '2.1.329',
  };
}

export function log(name: string, values: object = {}, rest: Partial<LogRecord> = {}): LogRecord {
  return {
    origin: origin(),
    timeUnixNano: time,
    observedTimeUnixNano: time,
    eventName: '',
    severityText: '',
    body: `claude_code.${name}`,
    attributes: attributesOf({ 'event.name': name, 'session.id': sessionId, ...values }),
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
    name: `claude_code.${name}`,
    unit: '',
    kind: 'sum',
    temporality: 'delta',
    monotonic: true,
    startTimeUnixNano: start,
    timeUnixNano: time,
    value,
    attributes: attributesOf({ 'session.id': sessionId, ...values }),
    ...rest,
  };
}

export function span(name: string, values: object = {}): Span {
  return {
    origin: origin(),
    name,
    traceId: '35132a686a8baea14afac9cc1192eceb',
    spanId: 'c1e6bb4155c6fef7',
    parentSpanId: '',
    startTimeUnixNano: start,
    endTimeUnixNano: time,
    statusCode: 0,
    statusMessage: '',
    attributes: attributesOf({ 'session.id': sessionId, ...values }),
    events: [],
  };
}

export function translate(batch: Export, at = receivedAt) {
  return claudeCode.translate(batch, at);
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

/** What is said of one request that was answered. */
export const request = {
  model: 'claude-sonnet-4-5-20250929',
  input_tokens: 8,
  output_tokens: 96,
  cache_read_tokens: 15000,
  cache_creation_tokens: 900,
  cache_creation_1h_tokens: 0,
  cost_usd: 0.009339,
  duration_ms: 189,
  ttft_ms: 138,
  request_id: 'req_mock685ykc26eo60',
  query_source: 'sdk',
  'prompt.id': 'c5cbee5c-1015-41b3-bdd3-c9dfefb69ae6',
  'anthropic.provider': 'firstParty',
};

import type { LogRecord, MetricPoint, Origin, Span } from './otlp.records.js';
import { codex } from './codex.translate.js';
import { loadRecording } from './recordings.js';
import { attributesOf, receivedAt } from './translation.spec-helper.js';

export { attributesOf, receivedAt };

/** Records as Codex sends them, for tests to vary, and what it printed in the recorded runs. */

export const happenedAt = '2026-11-20T17:59:00.123Z';
export const time = BigInt(Date.parse(happenedAt)) * 1_000_000n;

/** A thread whose id was made at the given time, as Codex makes them. */
export function threadMadeAt(iso: string): string {
  const hex = Date.parse(iso).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7670-af59-0cf8db2f897b`;
}
export const sessionId = threadMadeAt(happenedAt);

export function origin(resource: object = {}): Origin {
  return {
    resource: attributesOf({
      'service.name': 'codex_exec',
      'service.version': '0.169.0',
      ...resource,
    }),
    scopeName: 'codex_otel.log_only',
    scopeVersion: '',
  };
}

export function log(name: string, values: object = {}, rest: Partial<LogRecord> = {}): LogRecord {
  return {
    origin: origin(),
    timeUnixNano: 0n,
    observedTimeUnixNano: time,
    eventName: 'event otel/src/events/session_telemetry.rs:803',
    severityText: 'INFO',
    body: null,
    attributes: attributesOf({
      'event.name': `codex.${name}`,
      'event.timestamp': happenedAt,
      'conversation.id': sessionId,
      model: 'gpt-5.6-sol',
      ...values,
    }),
    traceId: '',
    spanId: '',
    ...rest,
  };
}

export function point(name: string, rest: Partial<MetricPoint> = {}): MetricPoint {
  return {
    origin: origin(),
    name,
    unit: '',
    kind: 'sum',
    temporality: 'delta',
    monotonic: true,
    startTimeUnixNano: time,
    timeUnixNano: time,
    value: 1,
    attributes: attributesOf({ model: 'gpt-5.6-sol' }),
    ...rest,
  };
}

export function span(name: string): Span {
  return {
    origin: origin(),
    name,
    traceId: '650aedc79f20177d1439633cb1a27a85',
    spanId: 'b818c635f993c96b',
    parentSpanId: '',
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    statusCode: 0,
    statusMessage: '',
    attributes: attributesOf({}),
    events: [],
  };
}

export function logs(...records: LogRecord[]) {
  return codex.translate({ signal: 'logs', records }, receivedAt);
}

/** What is said of one request that was answered. */
export const completed = {
  'event.kind': 'response.completed',
  input_token_count: '11950',
  output_token_count: '96',
  cached_token_count: 9472,
  cache_write_token_count: 1000,
  reasoning_token_count: 64,
  tool_token_count: '12046',
  ttft_ms: 148,
};

/** What Codex printed when a turn ended. The usage is cumulative over the thread. */
export interface RecordedTurn {
  readonly thread_id: string;
  readonly type: 'turn.completed' | 'turn.failed';
  readonly usage: {
    readonly input_tokens: number;
    readonly cached_input_tokens: number;
    readonly cache_write_input_tokens: number;
    readonly output_tokens: number;
    readonly reasoning_output_tokens: number;
  } | null;
  readonly error: string | null;
  readonly commands: number;
}

export function recordedTurns(group: string): readonly RecordedTurn[] {
  return loadRecording(group, 'codex').results as unknown as readonly RecordedTurn[];
}

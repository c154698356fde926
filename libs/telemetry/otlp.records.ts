/**
 * What the decoders make of an OTLP export, whatever its encoding: flat records, each pointing at the
 * resource and scope it came from.
 *
 * Attribute maps have no prototype, so that a key such as `__proto__` is a key like any other.
 * 64-bit integers are numbers where a number holds them exactly, else decimal strings.
 */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = Readonly<Record<string, AttributeValue>>;

export type Signal = 'logs' | 'metrics' | 'traces';

/** Shared by all records of one scope. */
export interface Origin {
  readonly resource: Attributes;
  readonly scopeName: string;
  readonly scopeVersion: string;
}

export interface LogRecord {
  readonly origin: Origin;
  /** Nanoseconds since 1970; 0n when the sender did not say. */
  readonly timeUnixNano: bigint;
  readonly observedTimeUnixNano: bigint;
  readonly eventName: string;
  readonly severityText: string;
  readonly body: AttributeValue;
  readonly attributes: Attributes;
  /** Lower-case hex, empty when unset. */
  readonly traceId: string;
  readonly spanId: string;
}

export interface MetricPoint {
  readonly origin: Origin;
  readonly name: string;
  readonly unit: string;
  readonly kind: 'sum' | 'gauge' | 'histogram' | 'exponentialHistogram' | 'summary';
  readonly temporality: 'delta' | 'cumulative' | 'unspecified';
  readonly monotonic: boolean;
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
  /** Null for kinds that are more than one number, and where the sender left it out. */
  readonly value: number | null;
  readonly attributes: Attributes;
}

export interface SpanEvent {
  readonly name: string;
  readonly timeUnixNano: bigint;
  readonly attributes: Attributes;
}

export interface Span {
  readonly origin: Origin;
  readonly name: string;
  /** Lower-case hex, empty when unset. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  /** 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
}

/** One decoded export. */
export type Export =
  | { readonly signal: 'logs'; readonly records: readonly LogRecord[] }
  | { readonly signal: 'metrics'; readonly records: readonly MetricPoint[] }
  | { readonly signal: 'traces'; readonly records: readonly Span[] };

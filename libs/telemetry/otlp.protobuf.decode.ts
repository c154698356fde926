import type {
  Export,
  LogRecord,
  MetricPoint,
  Origin,
  Signal,
  Span,
  SpanEvent,
} from './otlp.records.js';
import { emptyBag, SPAN_ID_BYTES, Tally, TRACE_ID_BYTES, validId } from './otlp.limit.decode.js';
import { MetricDecoder } from './otlp.protobuf.metrics.decode.js';
import {
  F1,
  F10,
  F11,
  F12,
  F15,
  F2,
  F3,
  F4,
  F5,
  F6,
  F9,
  INT_3,
  TIME_1,
  TIME_11,
  TIME_7,
  TIME_8,
  ValueDecoder,
} from './otlp.protobuf.values.decode.js';
import { WireReader } from './otlp.wire.decode.js';

/**
 * Reads an Export{Logs,Metrics,Trace}ServiceRequest straight into flat records. Field numbers are
 * those of opentelemetry-proto 1.x. A field that is unknown, or known but of another wire type, is
 * passed over, as protobuf asks.
 *
 * @throws {DecodeError}
 */
export function decodeProtobuf(signal: Signal, bytes: Uint8Array): Export {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new ProtobufDecoder(buffer);
  switch (signal) {
    case 'logs':
      return { signal, records: decoder.logs() };
    case 'metrics':
      return { signal, records: decoder.metrics() };
    case 'traces':
      return { signal, records: decoder.traces() };
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

class ProtobufDecoder extends ValueDecoder {
  constructor(bytes: Buffer) {
    super(new WireReader(bytes), new Tally());
  }

  logs(): LogRecord[] {
    const records: LogRecord[] = [];
    this.resources((origin) => {
      this.tally.record();
      records.push(this.logRecord(origin));
    });
    return records;
  }

  metrics(): MetricPoint[] {
    const records: MetricPoint[] = [];
    const decoder = new MetricDecoder(this);
    this.resources((origin) => {
      decoder.metric(origin, records);
    });
    return records;
  }

  traces(): Span[] {
    const records: Span[] = [];
    this.resources((origin) => {
      this.tally.record();
      records.push(this.span(origin));
    });
    return records;
  }

  /** The two outer levels, which all signals share. `read` is called inside each record. */
  private resources(read: (origin: Origin) => void): void {
    const { reader } = this;
    while (reader.more()) {
      const tag = reader.tag();
      if (tag !== F1) {
        reader.skip(tag);
        continue;
      }
      this.tally.value();
      const outer = reader.enter();
      // The resource may stand after its records: they share this map, which is filled in then.
      const resource = emptyBag();
      while (reader.more()) {
        const inner = reader.tag();
        if (inner === F1) this.attributesMessage(resource);
        else if (inner === F2) this.scope({ resource, scopeName: '', scopeVersion: '' }, read);
        else reader.skip(inner);
      }
      reader.leave(outer);
    }
  }

  private scope(origin: Writable<Origin>, read: (origin: Origin) => void): void {
    const { reader } = this;
    this.tally.value();
    const outer = reader.enter();
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === F2) {
        const scopeEnd = reader.enter();
        read(origin);
        reader.leave(scopeEnd);
      } else if (tag === F1) this.instrumentationScope(origin);
      else reader.skip(tag);
    }
    reader.leave(outer);
  }

  private instrumentationScope(origin: Writable<Origin>): void {
    const { reader } = this;
    const outer = reader.enter();
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === F1) origin.scopeName = reader.key();
      else if (tag === F2) origin.scopeVersion = reader.key();
      else reader.skip(tag);
    }
    reader.leave(outer);
  }

  private logRecord(origin: Origin): LogRecord {
    const { reader } = this;
    const attributes = emptyBag();
    const record: Writable<LogRecord> = {
      origin,
      timeUnixNano: 0n,
      observedTimeUnixNano: 0n,
      eventName: '',
      severityText: '',
      body: null,
      attributes,
      traceId: '',
      spanId: '',
    };
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === F6) this.attribute(attributes);
      else if (tag === TIME_1) record.timeUnixNano = reader.fixed64();
      else if (tag === TIME_11) record.observedTimeUnixNano = reader.fixed64();
      else if (tag === F5) record.body = this.anyValue(1);
      else if (tag === F3) record.severityText = reader.key();
      else if (tag === F9) record.traceId = validId(reader.hex(), TRACE_ID_BYTES);
      else if (tag === F10) record.spanId = validId(reader.hex(), SPAN_ID_BYTES);
      else if (tag === F12) record.eventName = reader.key();
      else reader.skip(tag);
    }
    return record;
  }

  private span(origin: Origin): Span {
    const { reader } = this;
    const attributes = emptyBag();
    const events: SpanEvent[] = [];
    const span: Writable<Span> = {
      origin,
      name: '',
      traceId: '',
      spanId: '',
      parentSpanId: '',
      startTimeUnixNano: 0n,
      endTimeUnixNano: 0n,
      statusCode: 0,
      statusMessage: '',
      attributes,
      events,
    };
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === F9) this.attribute(attributes);
      else if (tag === F1) span.traceId = validId(reader.hex(), TRACE_ID_BYTES);
      else if (tag === F2) span.spanId = validId(reader.hex(), SPAN_ID_BYTES);
      else if (tag === F4) span.parentSpanId = validId(reader.hex(), SPAN_ID_BYTES);
      else if (tag === F5) span.name = reader.key();
      else if (tag === TIME_7) span.startTimeUnixNano = reader.fixed64();
      else if (tag === TIME_8) span.endTimeUnixNano = reader.fixed64();
      else if (tag === F11) events.push(this.spanEvent());
      else if (tag === F15) this.spanStatus(span);
      else reader.skip(tag);
    }
    return span;
  }

  private spanEvent(): SpanEvent {
    const { reader } = this;
    this.tally.value();
    const outer = reader.enter();
    const attributes = emptyBag();
    let name = '';
    let timeUnixNano = 0n;
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === TIME_1) timeUnixNano = reader.fixed64();
      else if (tag === F2) name = reader.key();
      else if (tag === F3) this.attribute(attributes);
      else reader.skip(tag);
    }
    reader.leave(outer);
    return { name, timeUnixNano, attributes };
  }

  private spanStatus(span: Writable<Span>): void {
    const { reader } = this;
    const outer = reader.enter();
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === F2) span.statusMessage = reader.text();
      else if (tag === INT_3) span.statusCode = reader.uint32();
      else reader.skip(tag);
    }
    reader.leave(outer);
  }
}

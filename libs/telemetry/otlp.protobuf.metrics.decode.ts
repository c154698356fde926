import type { MetricPoint, Origin } from './otlp.records.js';
import { emptyBag, NO_RECORDED_VALUE, temporalityOf } from './otlp.limit.decode.js';
import type { ValueDecoder } from './otlp.protobuf.values.decode.js';
import {
  F1,
  F10,
  F11,
  F3,
  F5,
  F7,
  F9,
  FIXED_4,
  FIXED_6,
  INT_10,
  INT_2,
  INT_3,
  INT_8,
  TIME_2,
  TIME_3,
} from './otlp.protobuf.values.decode.js';

type Kind = MetricPoint['kind'];

const KIND_OF_FIELD: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [F5, 'gauge'],
  [F7, 'sum'],
  [F9, 'histogram'],
  [F10, 'exponentialHistogram'],
  [F11, 'summary'],
]);

/** Where the kinds keep attributes and flags; their start and time are fields 2 and 3 in all. */
const POINT_FIELDS: Readonly<Record<Kind, { attributes: number; flags: number }>> = {
  gauge: { attributes: F7, flags: INT_8 },
  sum: { attributes: F7, flags: INT_8 },
  histogram: { attributes: F9, flags: INT_10 },
  exponentialHistogram: { attributes: F1, flags: INT_10 },
  summary: { attributes: F7, flags: INT_8 },
};

/** Reads one Metric into a flat record per data point. */
export class MetricDecoder {
  constructor(private readonly values: ValueDecoder) {}

  /** Name, unit and temporality may stand after the points, so the points are read last. */
  metric(origin: Origin, into: MetricPoint[]): void {
    const { reader } = this.values;
    this.values.tally.value();
    let name = '';
    let unit = '';
    let kind: Kind | undefined;
    let data = 0;
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === F1) name = reader.key();
      else if (tag === F3) unit = reader.key();
      else if (KIND_OF_FIELD.has(tag)) {
        kind = KIND_OF_FIELD.get(tag);
        data = reader.slice();
      } else reader.skip(tag);
    }
    if (kind === undefined) return;
    const points = { origin, name, unit, kind };
    reader.at(data, () => {
      const outer = reader.enter();
      const start = reader.position;
      const shared = { ...points, ...this.dataSettings(points.kind) };
      reader.position = start;
      while (reader.more()) {
        const tag = reader.tag();
        if (tag === F1) into.push(this.point(shared));
        else reader.skip(tag);
      }
      reader.leave(outer);
    });
  }

  private dataSettings(kind: Kind): Pick<MetricPoint, 'temporality' | 'monotonic'> {
    const { reader } = this.values;
    const hasTemporality = kind !== 'gauge' && kind !== 'summary';
    let temporality: MetricPoint['temporality'] = 'unspecified';
    let monotonic = false;
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === INT_2 && hasTemporality) temporality = temporalityOf(reader.uint32());
      else if (tag === INT_3 && kind === 'sum') monotonic = reader.bool();
      else reader.skip(tag);
    }
    return { temporality, monotonic };
  }

  private point(
    shared: Omit<MetricPoint, 'startTimeUnixNano' | 'timeUnixNano' | 'value' | 'attributes'>,
  ): MetricPoint {
    const { reader } = this.values;
    this.values.tally.record();
    const fields = POINT_FIELDS[shared.kind];
    const isNumber = shared.kind === 'gauge' || shared.kind === 'sum';
    const attributes = emptyBag();
    let startTimeUnixNano = 0n;
    let timeUnixNano = 0n;
    let value: number | null = null;
    let flags = 0;
    const outer = reader.enter();
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === fields.attributes) this.values.attribute(attributes);
      else if (tag === TIME_2) startTimeUnixNano = reader.fixed64();
      else if (tag === TIME_3) timeUnixNano = reader.fixed64();
      else if (tag === FIXED_4 && isNumber) value = reader.double();
      else if (tag === FIXED_6 && isNumber) value = Number(reader.sfixed64());
      else if (tag === fields.flags) flags = reader.uint32();
      else reader.skip(tag);
    }
    reader.leave(outer);
    if ((flags & NO_RECORDED_VALUE) !== 0) value = null;
    return { ...shared, startTimeUnixNano, timeUnixNano, value, attributes };
  }
}

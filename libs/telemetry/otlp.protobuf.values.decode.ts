import type { AttributeValue } from './otlp.records.js';
import type { Bag, Tally } from './otlp.limit.decode.js';
import { emptyBag } from './otlp.limit.decode.js';
import type { WireReader } from './otlp.wire.decode.js';
import { FIXED64, LENGTH_DELIMITED, VARINT } from './otlp.wire.decode.js';

const varint = (field: number): number => field * 8 + VARINT;
const fixed64 = (field: number): number => field * 8 + FIXED64;
const bytes = (field: number): number => field * 8 + LENGTH_DELIMITED;

/** Tags of length-delimited fields by number, then those of other wire types. */
export const F1 = bytes(1);
export const F2 = bytes(2);
export const F3 = bytes(3);
export const F4 = bytes(4);
export const F5 = bytes(5);
export const F6 = bytes(6);
export const F7 = bytes(7);
export const F9 = bytes(9);
export const F10 = bytes(10);
export const F11 = bytes(11);
export const F12 = bytes(12);
export const F15 = bytes(15);
export const TIME_1 = fixed64(1);
export const TIME_2 = fixed64(2);
export const TIME_3 = fixed64(3);
export const TIME_7 = fixed64(7);
export const TIME_8 = fixed64(8);
export const TIME_11 = fixed64(11);
export const FIXED_4 = fixed64(4);
export const FIXED_6 = fixed64(6);
export const INT_2 = varint(2);
export const INT_3 = varint(3);
export const INT_8 = varint(8);
export const INT_10 = varint(10);

/** Reads what all signals have in common: attributes and the values they hold. */
export class ValueDecoder {
  constructor(
    readonly reader: WireReader,
    readonly tally: Tally,
  ) {}

  /** A message whose field 1 is a list of attributes: Resource and KeyValueList. */
  attributesMessage(into: Bag, level = 1): void {
    const { reader } = this;
    const outer = reader.enter();
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === F1) this.attribute(into, level);
      else reader.skip(tag);
    }
    reader.leave(outer);
  }

  attribute(into: Bag, level = 1): void {
    const { reader } = this;
    this.tally.value();
    const outer = reader.enter();
    let key = '';
    let value: AttributeValue = null;
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === F1) key = reader.key();
      else if (tag === F2) value = this.anyValue(level);
      else reader.skip(tag);
    }
    reader.leave(outer);
    into[key] = value;
  }

  anyValue(level: number): AttributeValue {
    const { reader } = this;
    this.tally.level(level);
    const outer = reader.enter();
    let value: AttributeValue = null;
    while (reader.more()) {
      const tag = reader.tag();
      switch (tag) {
        case F1:
          value = reader.text();
          break;
        case INT_2:
          value = reader.bool();
          break;
        case INT_3:
          value = reader.int64();
          break;
        case FIXED_4:
          value = reader.double();
          break;
        case F5:
          value = this.arrayValue(level);
          break;
        case F6: {
          const bag = emptyBag();
          this.attributesMessage(bag, level + 1);
          value = bag;
          break;
        }
        case F7:
          value = reader.base64();
          break;
        default:
          reader.skip(tag);
      }
    }
    reader.leave(outer);
    return value;
  }

  private arrayValue(level: number): AttributeValue[] {
    const { reader } = this;
    const outer = reader.enter();
    const values: AttributeValue[] = [];
    while (reader.more()) {
      const tag = reader.tag();
      if (tag === F1) {
        this.tally.value();
        values.push(this.anyValue(level + 1));
      } else reader.skip(tag);
    }
    reader.leave(outer);
    return values;
  }
}

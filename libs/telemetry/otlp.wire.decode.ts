import { limits } from '#kernel/limits.js';
import { malformed } from './otlp.limit.decode.js';

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;

const VARINT_BYTES_MAX = 10;
const CACHE_BITS = 11;
const CACHED_BYTES_MAX = 64;
/** Spreads what is multiplied by it over the upper bits. */
const GOLDEN_RATIO_32 = 0x9e3779b1;

/**
 * Reads protobuf's wire format in place. Every read is checked against the end of the message it
 * is in, so a length that lies is an error and never a read of something else.
 *
 * Text that is not UTF-8 is read with replacement characters: agents cut text in the middle of a
 * character, and refusing the whole export would lose it for good.
 */
export class WireReader {
  position = 0;
  private end: number;
  private readonly view: DataView;

  constructor(private readonly bytes: Buffer) {
    this.end = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  more(): boolean {
    return this.position < this.end;
  }

  /** Enters a length-delimited message; hand what it returns to `leave` when `more()` is false. */
  enter(): number {
    const outerEnd = this.end;
    this.end = this.lengthEnd();
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.end = outerEnd;
  }

  /** Remembers a length-delimited field for later; `at` goes back to it. */
  slice(): number {
    const start = this.position;
    this.position = this.lengthEnd();
    return start;
  }

  /** Runs `read` at a remembered place and comes back. */
  at<T>(position: number, read: () => T): T {
    const here = this.position;
    this.position = position;
    const result = read();
    this.position = here;
    return result;
  }

  /** Field number times eight plus wire type. */
  tag(): number {
    const tag = this.size();
    if (tag < 8) throw this.fault('has a field with the number 0');
    return tag;
  }

  /** A varint of which only the low 32 bits matter: enums and flags. */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw this.overlong();
  }

  bool(): boolean {
    let any = 0;
    for (let count = 0; count < VARINT_BYTES_MAX; count += 1) {
      const byte = this.byte();
      any |= byte & 0x7f;
      if (byte < 0x80) return any !== 0;
    }
    throw this.overlong();
  }

  /** A signed 64-bit integer as a number where that is exact, else as a decimal string. */
  int64(): number | string {
    let low = 0;
    // Four bytes are 28 bits: most numbers end here and never become a bigint.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const signed = BigInt.asIntN(64, value);
        const number = Number(signed);
        return Number.isSafeInteger(number) ? number : signed.toString();
      }
    }
    throw this.overlong();
  }

  fixed64(): bigint {
    return this.view.getBigUint64(this.advance(8), true);
  }

  sfixed64(): bigint {
    return this.view.getBigInt64(this.advance(8), true);
  }

  double(): number {
    return this.view.getFloat64(this.advance(8), true);
  }

  /** Text that may be anything: long, of its own, or what the records before it said too. */
  text(): string {
    return this.textFrom(valueCache);
  }

  /** Text of a small set, such as the name of an attribute. */
  key(): string {
    return this.textFrom(keyCache);
  }

  hex(): string {
    const end = this.lengthEnd();
    const start = this.position;
    this.position = end;
    return this.bytes.toString('hex', start, end);
  }

  base64(): string {
    const end = this.lengthEnd();
    const start = this.position;
    this.position = end;
    return this.bytes.toString('base64', start, end);
  }

  /** Passes over the value of a field that is of no interest. */
  skip(tag: number, level = 1): void {
    switch (tag & 7) {
      case VARINT:
        this.bool();
        return;
      case FIXED64:
        this.advance(8);
        return;
      case LENGTH_DELIMITED:
        this.position = this.lengthEnd();
        return;
      case GROUP_START:
        this.skipGroup(tag >>> 3, level);
        return;
      case FIXED32:
        this.advance(4);
        return;
      case GROUP_END:
        throw this.fault('ends a group that it did not begin');
      default:
        throw this.fault(`has a field of wire type ${tag & 7}, which does not exist`);
    }
  }

  private skipGroup(field: number, level: number): void {
    if (level > limits.nestingLevelsMax) {
      throw malformed(`Groups are nested more than ${limits.nestingLevelsMax} levels deep.`);
    }
    for (;;) {
      const tag = this.tag();
      if ((tag & 7) !== GROUP_END) this.skip(tag, level + 1);
      else if (tag >>> 3 === field) return;
      else throw this.fault('ends another group than it began');
    }
  }

  /**
   * Most short texts repeat from record to record: the same bytes then give the same string, which is
   * faster than making it anew and takes no memory.
   */
  private textFrom(cache: (string | undefined)[]): string {
    const end = this.lengthEnd();
    const start = this.position;
    const length = end - start;
    this.position = end;
    if (length === 0) return '';
    if (length > CACHED_BYTES_MAX) return this.bytes.toString('utf8', start, end);
    const slot = this.slotOf(start, length);
    const cached = cache[slot];
    if (cached?.length === length && this.equals(start, cached)) return cached;
    const text = this.bytes.toString('utf8', start, end);
    // Only ASCII is kept: there one character is one byte, which is what `equals` compares.
    if (text.length === length) cache[slot] = text;
    return text;
  }

  /** By the length and four bytes of either end: texts that differ only between these take turns. */
  private slotOf(start: number, length: number): number {
    const { view } = this;
    const first = length < 4 ? view.getUint8(start) : view.getInt32(start);
    const last = length < 4 ? view.getUint8(start + length - 1) : view.getInt32(start + length - 4);
    return Math.imul(Math.imul(first, 31) + last + length, GOLDEN_RATIO_32) >>> (32 - CACHE_BITS);
  }

  private equals(start: number, text: string): boolean {
    const { bytes } = this;
    for (let i = 0; i < text.length; i += 1)
      if (bytes[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  private byte(): number {
    if (this.position >= this.end) throw this.fault('ends in the middle of a field');
    return this.bytes[this.position++] ?? 0;
  }

  private advance(count: number): number {
    const start = this.position;
    if (count > this.end - start) throw this.fault('ends in the middle of a field');
    this.position = start + count;
    return start;
  }

  /** A varint that must not exceed 32 bits: tags and lengths. */
  private size(): number {
    let value = this.byte();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let scale = 2 ** 7; scale < 2 ** 70; scale *= 2 ** 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) throw this.fault('has a tag or a length beyond 32 bits');
        return value;
      }
    }
    throw this.overlong();
  }

  private lengthEnd(): number {
    const length = this.size();
    if (length > this.end - this.position) {
      throw this.fault('has a field that claims to be longer than what holds it');
    }
    return this.position + length;
  }

  private overlong(): Error {
    return this.fault(`has a number of more than ${VARINT_BYTES_MAX} bytes`);
  }

  private fault(what: string): Error {
    return malformed(`The protobuf body ${what} (at byte ${this.position}).`);
  }
}

/**
 * By a hash of the bytes; a newcomer takes the slot. Names are few and would be driven out by values,
 * which are many, so each has its own.
 */
const keyCache: (string | undefined)[] = Array.from({ length: 1 << CACHE_BITS });
const valueCache: (string | undefined)[] = Array.from({ length: 1 << CACHE_BITS });

import { limits } from '#kernel/limits.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const OPENING = 0x7b;
const CLOSING = 0x7d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const NOTHING = Buffer.alloc(0);

export interface LineSink {
  /** A line that may matter: it holds one of the marks. */
  line(text: string, number: number): void;
  fault(number: number, reason: string): void;
}

/**
 * Cuts the bytes of a transcript into lines, however they come, and hands on those that hold a mark.
 * The others are not decoded: most of a transcript is content, which nobody here wants.
 */
export class LineCutter {
  /** Lines that are whole. */
  lines = 0;
  private readonly marks: readonly Buffer[];
  /** Where each mark comes next in the chunk at hand; its end when it does not. */
  private readonly next: number[];
  private rest: Buffer[] = [];
  private restBytes = 0;
  private isTooLong = false;
  private isForeign = false;
  private endIsDue = false;

  constructor(
    marks: readonly string[],
    private readonly sink: LineSink,
  ) {
    this.marks = marks.map((mark) => Buffer.from(mark));
    this.next = this.marks.map(() => 0);
  }

  /** How much of what was fed is an unfinished line. */
  get unfinishedBytes(): number {
    return this.restBytes;
  }

  /** The chunk may be used again once this returns. */
  feed(chunk: Buffer): void {
    if (this.isForeign) return;
    // The end of a line that was taken before it had one.
    let start = this.endIsDue && chunk[0] === NEWLINE ? 1 : 0;
    this.endIsDue &&= chunk.length === 0;
    if (this.restBytes > 0) {
      const end = chunk.indexOf(NEWLINE);
      if (end === -1) {
        this.keep(chunk);
        return;
      }
      this.keep(chunk.subarray(0, end));
      if (!this.endRest()) return;
      start = end + 1;
    }
    this.next.fill(-1);
    for (let end = chunk.indexOf(NEWLINE, start); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.lines += 1;
      if (!this.cut(chunk, start, end)) return;
      start = end + 1;
    }
    if (start < chunk.length) this.keep(chunk.subarray(start));
  }

  /**
   * Nothing more comes for now. A last line without its end that is whole all the same is taken; one
   * that is not is being written, and waits.
   */
  flush(): void {
    if (this.restBytes === 0 || this.isTooLong) return;
    const text = Buffer.concat(this.rest).toString();
    if (!text.trimEnd().endsWith('}')) return;
    try {
      JSON.parse(text.replace(/^\uFEFF/, ''));
    } catch {
      return;
    }
    this.endRest();
    this.endIsDue = true;
  }

  /** Copies, because the chunk is used again. Of a line that is too long nothing is kept. */
  private keep(piece: Buffer): void {
    this.restBytes += piece.length;
    if (this.restBytes > limits.transcriptLineBytesMax) {
      this.isTooLong = true;
      this.rest = [];
    } else this.rest.push(Buffer.from(piece));
  }

  private endRest(): boolean {
    const line = this.rest.length === 1 ? (this.rest[0] ?? NOTHING) : Buffer.concat(this.rest);
    const wasTooLong = this.isTooLong;
    this.rest = [];
    this.restBytes = 0;
    this.isTooLong = false;
    this.lines += 1;
    if (wasTooLong) {
      const limit = limits.transcriptLineBytesMax / 1024 / 1024;
      this.sink.fault(this.lines, `the line is longer than ${limit} MiB`);
      return true;
    }
    this.next.fill(-1);
    return this.cut(line, 0, line.length);
  }

  /** False when the whole file is of no use. */
  private cut(bytes: Buffer, from: number, to: number): boolean {
    let start = from;
    let end = to;
    if (this.lines === 1) {
      if (isUtf16(bytes, start, end)) {
        this.isForeign = true;
        this.sink.fault(1, 'the file is in UTF-16 and not in UTF-8');
        return false;
      }
      if (bytes.subarray(start, start + 3).equals(BYTE_ORDER_MARK)) start += 3;
    }
    while (end > start && isSpace(bytes[end - 1])) end -= 1;
    while (start < end && isSpace(bytes[start])) start += 1;
    if (start === end) return true;
    if (this.holdsMark(bytes, start, end)) {
      this.sink.line(bytes.toString('utf8', start, end), this.lines);
    } else if (bytes[start] !== OPENING || bytes[end - 1] !== CLOSING) {
      this.sink.fault(this.lines, 'the line is no JSON object, or only a part of one');
    }
    return true;
  }

  /** Each mark is looked for once in a chunk, not once in each of its lines. */
  private holdsMark(bytes: Buffer, start: number, end: number): boolean {
    for (const [index, mark] of this.marks.entries()) {
      let at = this.next[index] ?? -1;
      if (at < start) {
        const found = bytes.indexOf(mark, start);
        at = found === -1 ? bytes.length : found;
        this.next[index] = at;
      }
      if (at < end) return true;
    }
    return false;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === RETURN || byte === 0x09;
}

/** By its byte order mark, or by the nought beside the first letter. */
function isUtf16(bytes: Buffer, start: number, end: number): boolean {
  const [first, second] = [bytes[start], bytes[start + 1]];
  if (end - start < 2) return false;
  return (
    (first === 0xff && second === 0xfe) ||
    (first === 0xfe && second === 0xff) ||
    (first === 0 && second === OPENING) ||
    (first === OPENING && second === 0)
  );
}

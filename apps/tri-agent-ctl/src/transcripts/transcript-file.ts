import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import { limits } from '#kernel/limits.js';
import { Failure, reasonOf, systemCodeOf } from '../failure.js';
import type { Fact } from './facts.js';
import type { FoundFile } from './find-files.js';
import { LineCutter, type LineSink } from './lines.js';
import type { TranscriptTranslator } from './translator.translate.js';
import { objectOf } from './values.translate.js';

const NOTHING = Buffer.alloc(0);

/** Where what is read goes. `facts` is awaited, so that nobody reads faster than is sent. */
export interface FileSink {
  facts(facts: readonly Fact[], path: string): Promise<void> | undefined;
  fault(path: string, line: number, reason: string): void;
  /** Bytes of the file that were read. */
  progress(bytes: number): void;
  readonly signal: AbortSignal | undefined;
}

/** One file, as far as it was read: what was appended since is read from there on. */
export class TranscriptFile implements LineSink {
  private cutter: LineCutter;
  private translator: TranscriptTranslator;
  private offset = 0;
  private seen: Pick<FoundFile, 'inode' | 'bytes' | 'modifiedMs'> | undefined;
  /** The last bytes that were read: where they are others, the file was written anew. */
  private before: Buffer = NOTHING;
  private lines = 0;
  private linesUsed = 0;

  constructor(
    private readonly path: string,
    private readonly dialect: FoundFile['dialect'],
    private readonly sink: FileSink,
  ) {
    this.cutter = new LineCutter(dialect.marks, this);
    this.translator = dialect.begin(path);
  }

  /** Whether it is another file by now, or has another length, than when it was read. */
  hasChanged({ inode, bytes, modifiedMs }: FoundFile): boolean {
    const { seen } = this;
    return seen?.inode !== inode || seen.bytes !== bytes || seen.modifiedMs !== modifiedMs;
  }

  /**
   * Reads what is new of it; all of it where it was replaced, or where it cannot be read in part.
   *
   * @returns how many lines that was. What goes wrong with the file itself is told to the sink.
   */
  async read(found: FoundFile): Promise<{ readonly lines: number; readonly ignored: number }> {
    const isWhole = /\.(zst|json)$/.test(this.path);
    const isAnother = this.seen !== undefined && this.seen.inode !== found.inode;
    if (isWhole || isAnother || found.bytes < this.offset) this.startAnew();
    this.seen = found;
    const { lines, linesUsed } = this;
    try {
      if (this.path.endsWith('.zst')) await this.readCompressed();
      else if (this.path.endsWith('.json')) await this.readDocument(found);
      else await this.readAppended();
      this.cutter.flush();
      this.lines = Math.max(this.lines, this.cutter.lines);
      await this.sink.facts(this.translator.take(true), this.path);
    } catch (error) {
      if (error instanceof Failure) throw error;
      this.seen = undefined;
      const code = systemCodeOf(error);
      this.sink.fault(this.path, 0, code === 'ENOENT' ? 'it is gone' : (code ?? reasonOf(error)));
    }
    const read = this.lines - lines;
    return { lines: read, ignored: Math.max(0, read - (this.linesUsed - linesUsed)) };
  }

  line(text: string, number: number): void {
    this.linesUsed += 1;
    let line: unknown;
    try {
      line = JSON.parse(text);
    } catch {
      this.fault(number, 'the line is no JSON, or only a part of it');
      return;
    }
    const object = objectOf(line);
    const fault = object === undefined ? 'the line is no object' : this.translator.line(object);
    if (fault !== undefined) this.fault(number, fault);
  }

  fault(number: number, reason: string): void {
    this.sink.fault(this.path, number, reason);
  }

  private startAnew(): void {
    this.cutter = new LineCutter(this.dialect.marks, this);
    this.translator = this.dialect.begin(this.path);
    this.offset = 0;
    this.before = NOTHING;
    this.lines = 0;
    this.linesUsed = 0;
  }

  private async readAppended(): Promise<void> {
    const file = await open(this.path, 'r');
    try {
      if (!this.before.equals(await bytesBefore(file, this.offset))) this.startAnew();
      const buffer = chunkBuffer();
      for (let bytes = await this.next(file, buffer); bytes > 0;) {
        this.cutter.feed(buffer.subarray(0, bytes));
        bytes = (await this.pass(bytes)) ? await this.next(file, buffer) : 0;
      }
      this.before = await bytesBefore(file, this.offset);
    } finally {
      await file.close();
    }
  }

  private async next(file: FileHandle, buffer: Buffer): Promise<number> {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, this.offset);
    this.offset += bytesRead;
    return bytesRead;
  }

  /** Hands on what is ready. False when nobody wants more. */
  private async pass(bytes: number): Promise<boolean> {
    this.sink.progress(bytes);
    await this.sink.facts(this.translator.take(false), this.path);
    return this.sink.signal?.aborted !== true;
  }

  private async readCompressed(): Promise<void> {
    if (!('createZstdDecompress' in zlib)) {
      const hint = 'run it as "npm run --silent ctl -- import", which brings a newer one';
      this.fault(0, `it is compressed with zstd, which needs Node 22.15 or newer: ${hint}`);
      return;
    }
    const file = createReadStream(this.path, { highWaterMark: limits.transcriptReadBytes });
    file.on('data', (chunk) => {
      this.sink.progress(chunk.length);
    });
    const lines = zlib.createZstdDecompress({ chunkSize: limits.transcriptReadBytes });
    file.on('error', (error) => lines.destroy(error));
    for await (const chunk of file.pipe(lines)) {
      this.cutter.feed(chunk as Buffer);
      if (!(await this.pass(0))) return;
    }
  }

  /** An older transcript of Gemini: one document, written anew each time. */
  private async readDocument({ bytes }: FoundFile): Promise<void> {
    if (bytes > limits.transcriptLineBytesMax) {
      const limit = limits.transcriptLineBytesMax / 1024 / 1024;
      this.fault(1, `the file is one document of more than ${limit} MiB`);
      return;
    }
    const file = await open(this.path, 'r');
    try {
      this.line((await file.readFile('utf8')).replace(/^\uFEFF/, ''), 1);
      this.lines = 1;
      this.sink.progress(bytes);
    } finally {
      await file.close();
    }
  }
}

/** A few bytes in front of a place: with times and ids in them they are hardly twice the same. */
async function bytesBefore(file: FileHandle, offset: number): Promise<Buffer> {
  const length = Math.min(offset, limits.transcriptComparedBytes);
  if (length === 0) return NOTHING;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset - length);
  return buffer.subarray(0, bytesRead);
}

let shared: Buffer | undefined;

/** One for all files, for only one is read at a time. */
function chunkBuffer(): Buffer {
  shared ??= Buffer.allocUnsafeSlow(limits.transcriptReadBytes);
  return shared;
}

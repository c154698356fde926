import type { Fact } from './facts.js';
import { findFiles, type FoundFile, type Place } from './find-files.js';
import type { Sender } from './sender.js';
import { Tally } from './tally.js';
import { TranscriptFile, type FileSink } from './transcript-file.js';

export interface ImporterParts {
  readonly places: readonly Place[];
  /** Absent: nothing is sent. */
  readonly sender: Sender | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Called as a pass goes on: how many bytes are to be read, and how many of them have been. */
export type OnProgress = (totalBytes: number, bytes: number) => void;

/** Finds transcripts, reads what is new of them, and hands on what they say that is news. */
export class Importer implements FileSink {
  readonly tally = new Tally();
  readonly signal: AbortSignal | undefined;
  bytes = 0;
  private readonly known = new Map<string, TranscriptFile>();
  private onProgress: OnProgress = () => undefined;
  private totalBytes = 0;

  constructor(private readonly parts: ImporterParts) {
    this.signal = parts.signal;
  }

  /**
   * Resolves when what was found is with the server.
   *
   * @returns how many files had something new.
   * @throws {Failure} when the server does not take it.
   */
  async pass(onProgress: OnProgress = () => undefined): Promise<number> {
    const { files, unread } = findFiles(this.parts.places);
    for (const { path, reason } of unread) this.tally.unread.set(path, reason);
    const changed = files.filter((file) => this.known.get(file.path)?.hasChanged(file) ?? true);
    this.onProgress = onProgress;
    this.totalBytes = this.bytes + changed.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const file of changed) {
      if (this.signal?.aborted === true) break;
      await this.read(file);
    }
    await this.parts.sender?.finish();
    return changed.length;
  }

  facts(facts: readonly Fact[], path: string): Promise<void> | undefined {
    if (facts.length === 0) return undefined;
    const news = facts.filter(
      (fact) => fact.kind !== 'usage' || this.tally.of(fact.agent).count(fact),
    );
    return this.parts.sender?.add(news, path);
  }

  fault(file: string, line: number, reason: string): void {
    this.tally.fault({ file, line, reason });
  }

  progress(bytes: number): void {
    this.bytes += bytes;
    this.onProgress(this.totalBytes, this.bytes);
  }

  private async read(found: FoundFile): Promise<void> {
    const tally = this.tally.of(found.dialect.agent);
    let file = this.known.get(found.path);
    if (file === undefined) {
      this.known.set(found.path, (file = new TranscriptFile(found.path, found.dialect, this)));
      tally.files += 1;
    }
    const { lines, ignored } = await file.read(found);
    tally.lines += lines;
    tally.ignoredLines += ignored;
  }
}

import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '#kernel/limits.js';

/** A piece of what an agent printed or did, as its worker told it. */
export interface OutputPiece {
  /** Counts the pieces of an attempt, from 0; one that is missing was dropped by the worker. */
  readonly index: number;
  /** ISO-8601 UTC, when it came in. */
  readonly at: string;
  readonly kind: 'text' | 'progress' | 'diff';
  readonly text: string;
}

/** What is known of an attempt's output without reading it. */
interface Known {
  nextIndex: number;
  bytes: number;
  isFull: boolean;
}

/**
 * The output of attempts, a file for each: off the log, for people to look at. What is told twice is
 * kept once. It is not waited for the disk: after a crash of the machine the last of it may be missing.
 */
export class OutputStore {
  private readonly known = new Map<string, Known>();
  private turn: Promise<unknown> = Promise.resolve();

  /** @param folder made when first needed, readable by its owner only. */
  constructor(private readonly folder: string) {}

  /** @returns whether there is room for more */
  async append(attemptId: string, pieces: readonly OutputPiece[]): Promise<boolean> {
    const done = this.turn.then(() => this.appendInTurn(attemptId, pieces));
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** Pieces from an index on, the oldest first. */
  async read(attemptId: string, fromIndex: number, limit: number): Promise<OutputPiece[]> {
    const pieces = await this.readAll(attemptId);
    return pieces.filter(({ index }) => index >= fromIndex).slice(0, limit);
  }

  private async appendInTurn(attemptId: string, pieces: readonly OutputPiece[]): Promise<boolean> {
    const known = await this.knownOf(attemptId);
    const fresh = pieces.filter(({ index }) => index >= known.nextIndex);
    const lines: string[] = [];
    for (const piece of fresh) {
      if (known.isFull) break;
      const line = `${JSON.stringify(piece)}\n`;
      known.isFull = known.bytes + line.length > limits.outputBytesPerAttemptMax;
      const text = 'There is more, which is not kept: the output is too long.';
      lines.push(known.isFull ? `${JSON.stringify({ ...piece, kind: 'progress', text })}\n` : line);
      known.bytes += line.length;
      known.nextIndex = piece.index + 1;
    }
    if (lines.length > 0) {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await appendFile(this.fileOf(attemptId), lines.join(''), { mode: 0o600 });
    }
    return !known.isFull;
  }

  private async knownOf(attemptId: string): Promise<Known> {
    const before = this.known.get(attemptId);
    if (before !== undefined) return before;
    const pieces = await this.readAll(attemptId);
    const bytes = pieces.reduce((sum, piece) => sum + JSON.stringify(piece).length + 1, 0);
    const isFull = bytes > limits.outputBytesPerAttemptMax;
    const known = { nextIndex: (pieces.at(-1)?.index ?? -1) + 1, bytes, isFull };
    if (this.known.size >= limits.outputsRememberedMax) this.known.clear();
    this.known.set(attemptId, known);
    return known;
  }

  private async readAll(attemptId: string): Promise<OutputPiece[]> {
    let text: string;
    try {
      text = await readFile(this.fileOf(attemptId), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    return text.split('\n').flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as OutputPiece];
      } catch {
        // A crash may have left half a line.
        return [];
      }
    });
  }

  /** The id may be anything: it names no file. */
  private fileOf(attemptId: string): string {
    const name = createHash('sha256').update(attemptId).digest('hex').slice(0, 32);
    return join(this.folder, `${name}.jsonl`);
  }
}

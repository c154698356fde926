import type { Block, SpendReader } from './spend-source.js';
import type { Range } from './touched.js';
import { contains, type Window } from './windows.js';

const HOUR_MS = 60 * 60_000;
const BLOCK_MS = 5 * HOUR_MS;

interface Known {
  /** The last one that began by then. */
  readonly block: Block | undefined;
  /** No other began up to here. */
  readonly untilMs: number;
}

/**
 * The blocks of five hours. Where one begins depends on all before it, so how far they are known is
 * remembered: only what came since is looked at.
 */
export class Blocks {
  private readonly known = new Map<string, Known>();

  at(scope: string, atMs: number, reader: SpendReader): Window {
    const block = this.lastBy(scope, atMs, reader);
    if (block !== undefined && contains(block, atMs)) return block;
    // The block that would begin if something was spent now.
    const startMs = atMs - (atMs % HOUR_MS);
    return { startMs, endMs: startMs + BLOCK_MS };
  }

  /** As `at`, and remembers how far it looked: of a time after which hardly anything is told any more. */
  atSettled(scope: string, atMs: number, reader: SpendReader): Window {
    this.known.set(scope, { block: this.lastBy(scope, atMs, reader), untilMs: atMs });
    return this.at(scope, atMs, reader);
  }

  private lastBy(scope: string, atMs: number, reader: SpendReader): Block | undefined {
    const known = this.known.get(scope);
    if (known === undefined || known.untilMs > atMs) return reader.blockAt(scope, atMs, -1);
    const { block, untilMs } = known;
    if (block !== undefined && contains(block, atMs)) return block;
    return reader.blockAt(scope, atMs, Math.max(block?.endMs ?? -1, untilMs)) ?? block;
  }

  /** What is told of times that were passed already may have them begin elsewhere. */
  forget(ranges: readonly Range[]): void {
    for (const [scope, { block, untilMs }] of this.known) {
      const isLate = ranges.some(
        ({ fromMs }) =>
          fromMs <= untilMs &&
          !(block !== undefined && fromMs > block.startMs && fromMs < block.endMs),
      );
      if (isLate) this.known.delete(scope);
    }
  }
}

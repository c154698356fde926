import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordedEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import type { FollowOptions } from './log.js';

/**
 * Wakes those who wait for the log to grow: at once when `ring` is called, and by looking whether
 * another process has written, as often as `limits.followPollMs`, while anybody waits.
 */
export class Bell {
  private readonly sleepers = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly changedElsewhere?: () => boolean) {}

  /** Resolves at the next ring, or when aborted. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.sleepers.delete(wake);
        if (this.sleepers.size === 0) clearInterval(this.timer);
        resolve();
      };
      signal.addEventListener('abort', wake);
      this.sleepers.add(wake);
      if (this.sleepers.size === 1) this.startLooking();
    });
  }

  ring(): void {
    for (const wake of [...this.sleepers]) wake();
  }

  private startLooking(): void {
    const { changedElsewhere } = this;
    if (changedElsewhere === undefined) return;
    this.timer = setInterval(() => {
      if (changedElsewhere()) this.ring();
    }, limits.followPollMs).unref();
  }
}

/** What was read of the log in one go. */
export interface Passage {
  readonly events: RecordedEvent[];
  /** Up to where it was looked through: that of the last event, or beyond. */
  readonly upTo: bigint;
}

/** The one loop behind every `follow`: what there is in batches, then a wait for more. */
export async function* followBy(
  readAfter: (after: bigint, limit: number) => Passage,
  bell: Bell,
  after: bigint,
  { signal, batchEvents = limits.followBatchEvents, until }: FollowOptions,
): AsyncGenerator<RecordedEvent[], void, undefined> {
  let position = after;
  while (!signal.aborted && (until === undefined || position < until)) {
    const { events, upTo } = readAfter(position, batchEvents);
    if (upTo === position) {
      await bell.wait(signal);
      continue;
    }
    position = upTo;
    if (events.length > 0) yield events;
    // A long catch-up must not keep requests and timers from their turn.
    if (events.length === batchEvents || events.length === 0) await nextTurn();
  }
}

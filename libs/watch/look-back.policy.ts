import { limits } from '#kernel/limits.js';

interface Mark {
  readonly position: bigint;
  readonly atMs: number;
  /** How many events were read before it. */
  readonly events: number;
}

/**
 * From where the log has to be read so that the last hour is known, but not more events of it than hold up
 * a start: a mark each minute, and the older ones dropped.
 */
export class LookBack {
  private marks: readonly Mark[];
  private events = 0;

  /** @param position of which nobody knows how old it is */
  constructor(position: bigint) {
    this.marks = [{ position, atMs: -Infinity, events: 0 }];
  }

  /** @param atMs when it was recorded */
  passed(position: bigint, atMs: number): void {
    this.events += 1;
    const last = this.marks.at(-1);
    if (last !== undefined && atMs - last.atMs < limits.watchSavedEveryMs) return;
    this.marks = [...this.marks, { position, atMs, events: this.events }];
  }

  /** @returns the position after which there is to read at this time */
  from(nowMs: number): bigint {
    const enough = this.marks.findLastIndex(
      ({ atMs }) => atMs <= nowMs - limits.sessionForgottenMs,
    );
    const near = this.marks.findIndex(
      ({ events }) => this.events - events <= limits.watchReplayedEventsMax,
    );
    this.marks = this.marks.slice(near === -1 ? -1 : Math.max(0, enough, near));
    return this.marks[0]?.position ?? 0n;
  }
}

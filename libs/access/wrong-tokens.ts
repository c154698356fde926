import { limits } from '#kernel/limits.js';

const MINUTE_MS = 60_000;

interface Count {
  readonly minute: number;
  readonly wrong: number;
}

/** How many wrong tokens came from which address in this minute. */
export class WrongTokens {
  private readonly counts = new Map<string, Count>();

  /** Counts one more; true when that is more than a minute's worth. */
  add(address: string, nowMs: number): boolean {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const before = this.counts.get(address);
    const wrong = before?.minute === minute ? before.wrong + 1 : 1;
    this.counts.delete(address);
    this.counts.set(address, { minute, wrong });
    if (this.counts.size > limits.badTokenAddressesMax) {
      const [oldest] = this.counts.keys();
      if (oldest !== undefined) this.counts.delete(oldest);
    }
    return wrong > limits.badTokensPerMinuteMax;
  }
}

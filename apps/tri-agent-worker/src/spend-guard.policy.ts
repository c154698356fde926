import { limits } from '#kernel/limits.js';
import { usdText } from '#kernel/money.js';
import type { PublishedPrices } from '#kernel/price-shapes.js';
import { PriceBook } from '#kernel/prices.js';
import type { UsageTold } from './agents/agent.js';

const minuteMs = 60_000;

/** What budgets leave, in nano-dollars; null = none limits it. */
export interface Allowance {
  readonly remainingNanoUsd: number | null;
  /** Within any 60 seconds. */
  readonly nanoUsdPerMinute: number | null;
}

/** Why an agent is to be ended although nobody ordered it. */
export interface CutOff {
  readonly reason: string;
  /** Nothing but the silence is in the way: it goes on by itself once the server is heard. */
  readonly goesOn: boolean;
}

export interface GuardParts {
  readonly agent: string;
  readonly provider: string;
  readonly prices: readonly PublishedPrices[];
  readonly beatEveryMs: number;
  /** null = not known. */
  readonly allowance: Allowance | null;
}

interface Spent {
  /** The end of the step of time in which it was spent. */
  readonly atMs: number;
  nanoUsd: number;
}

/**
 * Says when an agent is to be ended because the server is not heard of. While it answers that is never: it
 * knows all spending, and this only what one agent's own lines tell. Of agents whose lines tell nothing while they work
 * (Codex and Gemini tell their usage at their end), and of models without a price, only the lease is kept.
 *
 * Moments are of any clock that never jumps, in milliseconds.
 */
export class SpendGuard {
  private readonly book: PriceBook;
  private allowance: Allowance | null;
  private spent: Spent[] = [];

  /** @param heardAtMs when it was claimed */
  constructor(
    private readonly parts: GuardParts,
    private heardAtMs: number,
  ) {
    this.book = new PriceBook(parts.prices);
    this.allowance = parts.allowance;
  }

  /**
   * The server has answered.
   *
   * @param toldAtMs when it was asked: it may have answered by what it knew then
   * @param allowance null = not known now, so that the one before stands
   */
  heard(toldAtMs: number, allowance: Allowance | null): void {
    this.heardAtMs = Math.max(this.heardAtMs, toldAtMs);
    this.allowance = allowance ?? this.allowance;
  }

  /** @param occurredAt of the clock on the wall: prices change by the day */
  used(usage: UsageTold, nowMs: number, occurredAt: string): void {
    const { agent, provider } = this.parts;
    const { nanoUsd = 0 } = this.book.costOf({ ...usage, agent, provider, occurredAt }) ?? {};
    const atMs = Math.ceil(nowMs / limits.spendStepMs) * limits.spendStepMs;
    const last = this.spent.at(-1);
    if (last?.atMs === atMs) last.nanoUsd += nanoUsd;
    else this.spent.push({ atMs, nanoUsd });
    const keptFromMs = Math.min(this.sinceMs, nowMs - minuteMs);
    while (this.spent[0] !== undefined && this.spent[0].atMs <= keptFromMs) this.spent.shift();
  }

  /** Undefined: it may go on. */
  cutOff(nowMs: number): CutOff | undefined {
    const { beatEveryMs } = this.parts;
    const silentMs = nowMs - this.heardAtMs;
    if (silentMs < limits.beatsMissedMax * beatEveryMs) return undefined;
    const silence = `The server was not heard of for ${Math.floor(silentMs / 1_000)} s`;
    const limit = this.limitReached(nowMs);
    if (limit !== undefined) return { reason: `${silence}, and ${limit}.`, goesOn: false };
    if (silentMs < limits.beatsPerLease * beatEveryMs) return undefined;
    const lease = 'as long as its lease, so that its task may be with another worker by now';
    return { reason: `${silence}, ${lease}.`, goesOn: true };
  }

  /** What was told to the server only after it had answered, it did not know. */
  private get sinceMs(): number {
    return this.heardAtMs - limits.spendToldLateMs;
  }

  private limitReached(nowMs: number): string | undefined {
    if (this.allowance === null) return undefined;
    const { remainingNanoUsd, nanoUsdPerMinute } = this.allowance;
    const since = this.spentSince(this.sinceMs);
    if (remainingNanoUsd !== null && since > 0 && since >= remainingNanoUsd) {
      return `it spent an estimated ${usdText(since)} of the ${usdText(remainingNanoUsd)} that its budgets had left`;
    }
    const inMinute = this.spentSince(nowMs - minuteMs);
    if (nanoUsdPerMinute !== null && inMinute > 0 && inMinute >= nanoUsdPerMinute) {
      return `it spent an estimated ${usdText(inMinute)} in 60 s, of which its budgets allow ${usdText(nanoUsdPerMinute)}`;
    }
    return undefined;
  }

  private spentSince(sinceMs: number): number {
    return this.spent.reduce((all, { atMs, nanoUsd }) => all + (atMs > sinceMs ? nanoUsd : 0), 0);
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from '#eventstore/src/log.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import type { Clock } from '#platform/clock.js';
import type { SpendSource } from './spend-source.js';
import { TouchedUsage, usageTypes, type Touched } from './touched.js';

export interface EvaluatorParts {
  readonly log: EventLog;
  readonly source: SpendSource;
  readonly clock: Clock;
  /** Looks at all budgets and decides. What throws is tried again. */
  readonly evaluate: (touched: Touched) => Promise<void>;
  /** What was spent is not known at this moment. */
  readonly lost: () => void;
  /** Is told, once, why it does not go on. */
  readonly report: (sentence: string) => void;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Has budgets evaluated whenever usage comes in, and every second. One evaluation runs at a time; what
 * comes in meanwhile is evaluated together after it.
 */
export class Evaluator {
  private readonly ending = new AbortController();
  private readonly touched = new TouchedUsage();
  private waiting: Waiting[] = [];
  private position = 0n;
  private isDue = false;
  private working: Promise<void> | undefined;
  private following: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private reported = '';

  constructor(private readonly parts: EvaluatorParts) {}

  /** Looks at all windows that are still acted upon, and then at what comes. */
  async start(): Promise<void> {
    const { log, clock } = this.parts;
    this.position = await log.head();
    const nowMs = clock.now();
    this.touched.lately(nowMs - limits.budgetLateMs, nowMs);
    this.following = this.follow(this.position).catch(this.complain);
    this.timer = setInterval(() => {
      this.wake();
    }, limits.budgetTickMs);
    this.timer.unref();
    this.wake();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.ending.abort();
    await Promise.all([this.following, this.working]);
    for (const { reject } of this.waiting.splice(0)) reject(new Error('Budgets have stopped.'));
  }

  /**
   * Evaluates once more, and resolves when that is done.
   *
   * @throws {Refusal | LogError} why it could not
   */
  now(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.wake();
    });
  }

  private async follow(after: bigint): Promise<void> {
    const { signal } = this.ending;
    const options = { signal, types: usageTypes };
    for await (const batch of this.parts.log.follow(after, options)) {
      for (const event of batch) this.touched.add(event as RecordedDomainEvent);
      this.position = batch.at(-1)?.position ?? this.position;
      this.wake();
    }
  }

  private wake(): void {
    this.isDue = true;
    this.working ??= this.work().finally(() => {
      this.working = undefined;
    });
  }

  private async work(): Promise<void> {
    const { signal } = this.ending;
    while (this.isDue && !signal.aborted) {
      this.isDue = false;
      const startedMs = performance.now();
      const isDone = await this.evaluate();
      const tookMs = performance.now() - startedMs;
      // Under load it takes a fifth of the time at most; the rest is for what comes in.
      if (isDone) await this.rest(Math.min(tookMs * limits.spendRestPerWork, limits.budgetTickMs));
    }
  }

  private async rest(ms: number): Promise<void> {
    const { signal } = this.ending;
    if (ms >= 1) await delay(ms, undefined, { signal }).catch(() => undefined);
  }

  private async evaluate(): Promise<boolean> {
    const waiting = this.waiting.splice(0);
    const { position } = this;
    try {
      await this.parts.source.reached(position);
    } catch (error) {
      this.fails(error, waiting);
      return false;
    }
    const touched = this.touched.take();
    try {
      await this.parts.evaluate(touched);
      this.reported = '';
      for (const { resolve } of waiting) resolve();
      return true;
    } catch (error) {
      this.touched.giveBack(touched);
      this.fails(error, waiting);
      return false;
    }
  }

  private fails(error: unknown, waiting: readonly Waiting[]): void {
    this.parts.lost();
    for (const { reject } of waiting) reject(error);
    this.complain(error);
  }

  private readonly complain = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === this.reported || this.ending.signal.aborted) return;
    this.parts.report(`Budgets do not know what was spent: ${reason}`);
    this.reported = reason;
  };
}

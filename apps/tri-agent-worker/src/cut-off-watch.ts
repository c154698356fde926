import { limits } from '#kernel/limits.js';
import type { UsageTold } from './agents/agent.js';
import type { Claimed } from './claimed.js';
import { SpendGuard, type Allowance, type CutOff } from './spend-guard.policy.js';

/** Looks, from the claim of an attempt to its end, whether its agent is to be ended because nobody answers. */
export class CutOffWatch {
  private readonly guard: SpendGuard;
  private readonly timer: NodeJS.Timeout;
  private isOver = false;

  /** @param end is told once */
  constructor(
    { task, prices, beatEveryMs, allowance }: Claimed,
    private readonly end: (cutOff: CutOff) => void,
  ) {
    const { agent, provider } = task;
    const parts = { agent, provider, prices, beatEveryMs, allowance };
    this.guard = new SpendGuard(parts, performance.now());
    this.timer = setInterval(() => {
      this.look();
    }, limits.cutOffCheckMs);
  }

  heard(toldAtMs: number, allowance: Allowance | null): void {
    this.guard.heard(toldAtMs, allowance);
  }

  used(usage: UsageTold): void {
    this.guard.used(usage, performance.now(), new Date().toISOString());
    this.look();
  }

  stop(): void {
    this.isOver = true;
    clearInterval(this.timer);
  }

  private look(): void {
    const cutOff = this.isOver ? undefined : this.guard.cutOff(performance.now());
    if (cutOff === undefined) return;
    this.stop();
    this.end(cutOff);
  }
}

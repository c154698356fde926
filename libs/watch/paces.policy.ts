import { limits } from '#kernel/limits.js';
import { Newest } from './newest.policy.js';

/** What answered requests have cost, and how long they took. */
export class Spend {
  private nanoUsd = 0;
  private openMs = 0;

  /** A request without a price, or of unknown length, says nothing of a pace. */
  add(costNanoUsd: number | null, openMs: number | null): void {
    if (costNanoUsd === null || openMs === null || openMs <= 0) return;
    this.nanoUsd = Math.min(this.nanoUsd + costNanoUsd, Number.MAX_SAFE_INTEGER);
    this.openMs = Math.min(this.openMs + openMs, Number.MAX_SAFE_INTEGER);
  }

  merge({ nanoUsd, openMs }: Spend): void {
    this.add(nanoUsd, openMs);
  }

  /** Nano-dollars per minute in which a request is open; null = not known. */
  get pace(): number | null {
    if (this.openMs === 0) return null;
    const pace = Math.round((this.nanoUsd / this.openMs) * 60_000);
    return Math.min(pace, limits.nanoUsdPerMinuteMax);
  }
}

/** What each model has cost in the last hour, by the minute. */
export class ModelPaces {
  private readonly models = new Newest<Map<number, Spend>>(limits.modelPacesMax);

  add(model: string, costNanoUsd: number | null, openMs: number | null, nowMs: number): void {
    const minutes = this.models.touch(model, () => new Map());
    const minute = minuteOf(nowMs);
    const spend = minutes.get(minute) ?? new Spend();
    spend.add(costNanoUsd, openMs);
    minutes.set(minute, spend);
    for (const old of minutes.keys()) {
      if (old <= minute - limits.modelPaceMinutes) minutes.delete(old);
    }
  }

  /** Null = not known. */
  paceOf(model: string, nowMs: number): number | null {
    const oldest = minuteOf(nowMs) - limits.modelPaceMinutes;
    const all = new Spend();
    for (const [minute, spend] of this.models.get(model) ?? []) {
      if (minute > oldest) all.merge(spend);
    }
    return all.pace;
  }
}

function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000);
}

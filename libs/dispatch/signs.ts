import { limits } from '#kernel/limits.js';
import type { Sign } from './commands.js';
import type { DispatchState } from './dispatch-state.js';

/** So that a beat may be lost, and the next one, too. */
export function beatEveryMs(leaseMs: number): number {
  return Math.floor(leaseMs / limits.beatsPerLease);
}

/**
 * When each running attempt was last heard of. Only in memory: a beat each ten seconds for each agent
 * would fill the log with nothing, and after a restart every attempt gets a fresh lease anyway.
 */
export class Signs {
  private readonly heard = new Map<string, Sign>();

  get all(): ReadonlyMap<string, Sign> {
    return this.heard;
  }

  /** The worker is alive. Only for an attempt that `decide` let pass. */
  beat(attemptId: string, nowMs: number): void {
    const { progressMs } = this.heard.get(attemptId) ?? { progressMs: 0 };
    this.heard.set(attemptId, { beatMs: nowMs, progressMs });
  }

  /** The agent gets on: it said so, wrote something, or sent telemetry. So its worker lives, too. */
  progress(attemptId: string, nowMs: number): void {
    this.heard.set(attemptId, { beatMs: nowMs, progressMs: nowMs });
  }

  /** Forgets the attempts that have ended. */
  prune(state: DispatchState): void {
    for (const attemptId of this.heard.keys()) {
      if (!state.running.has(attemptId)) this.heard.delete(attemptId);
    }
  }
}

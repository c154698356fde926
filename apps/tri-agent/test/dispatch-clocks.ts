import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClaimAnswer, Moved } from '#libs/dispatch/attempts.shapes.js';
import { ServerProcess } from '#platform/server-process.js';
import { auditOf, dispatchEventsIn, eventsOf, type Audit } from './dispatch-audit.js';
import { DispatchClient, type WorkerClient } from './dispatch-client.js';
import { FakedClock, takesEffectWithinMs } from './faked-clock.js';
import { waitUntil } from './support.js';

const leaseMs = 3_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Forth and back, and past midnight, month and year. */
const jumpsMs = [hourMs, -hourMs, 2 * dayMs, -2 * dayMs, 0, -hourMs, 2 * dayMs, 0];
/** A dead worker's task is free again by then. */
const reapedWithinMs = leaseMs + 30_000;
const workers = 6;
/** An answer may have been on its way for as long. */
const slackMs = 2_000;

export interface ClocksReport extends Audit {
  readonly jumps: number;
  readonly beats: number;
  /** Leases that ran out although a beat had been answered less than a lease before. */
  readonly earlyReaps: number;
  /** Answers whose leaseUntil was not within a lease from now, by the clock of the server. */
  readonly insaneLeases: readonly string[];
  /** From its last word to the end of its lease, of a worker that fell silent before each jump. */
  readonly silentMs: readonly number[];
}

/**
 * Moves the wall clock of a server by hours and days while workers with short leases work. One that
 * beats must not lose its task, one that falls silent must, and no answer may be off the clock that
 * whoever asks can see.
 */
export async function survivesJumps(progress: (sentence: string) => void): Promise<ClocksReport> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-clocks-'));
  try {
    const clock = new FakedClock(home);
    const environment = { ...clock.environment, TRI_AGENT_LEASE_MS: String(leaseMs) };
    const server = await ServerProcess.start({ home, environment });
    try {
      return await new Jumping(server, clock, progress).run();
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** When a worker was last answered, and how long it was without an answer, by the monotonic clock. */
interface Heard {
  atMs: number;
  longestGapMs: number;
}

class Jumping {
  private readonly operator: DispatchClient;
  private readonly heard = new Map<string, Heard>();
  private readonly insaneLeases: string[] = [];
  private readonly silentMs: number[] = [];
  private beats = 0;
  private isOver = false;

  constructor(
    private readonly server: ServerProcess,
    private readonly clock: FakedClock,
    private readonly progress: (sentence: string) => void,
  ) {
    this.operator = DispatchClient.operatorOf(server);
  }

  async run(): Promise<ClocksReport> {
    const coming = Array.from({ length: workers }, () =>
      this.operator.register({ agents: ['claude-code'] }),
    );
    const working = (await Promise.all(coming)).map((worker) => this.work(worker));
    for (const [index, offsetMs] of jumpsMs.entries()) {
      const silence = this.fallSilent();
      this.clock.moveTo(offsetMs);
      await waitUntil(`the server's clock is ${offsetMs} ms ahead`, () => this.isAheadBy(offsetMs));
      this.silentMs.push(await silence);
      this.progress(
        `jump ${index + 1} of ${jumpsMs.length}: ${offsetMs / hourMs} h from the true time`,
      );
    }
    this.isOver = true;
    await Promise.all(working);
    return this.report();
  }

  private report(): ClocksReport {
    const events = dispatchEventsIn(this.server.home);
    const early = eventsOf(events, 'LeaseExpired').filter(({ attemptId }) => {
      const heard = this.heard.get(attemptId);
      return heard !== undefined && heard.longestGapMs < leaseMs;
    });
    const { beats, insaneLeases, silentMs } = this;
    const jumps = jumpsMs.length;
    return { jumps, beats, earlyReaps: early.length, insaneLeases, silentMs, ...auditOf(events) };
  }

  /** The header that every answer has tells what time it is for the server. */
  private async isAheadBy(offsetMs: number): Promise<boolean> {
    const { headers } = await this.server.get('/api/v1/queue');
    const aheadMs = Date.parse(headers.get('date') ?? '') - Date.now();
    return Math.abs(aheadMs - offsetMs) < slackMs;
  }

  /** Submits what it does, so that each worker has always something to do. */
  private async work(worker: WorkerClient): Promise<void> {
    while (!this.isOver) {
      await this.operator.submit({ agent: 'claude-code' });
      const held = await worker.mustClaim(minuteMs);
      this.look(held);
      await worker.move(held, 'start');
      // Longer than a lease, by beats.
      const endsAt = performance.now() + 1.5 * leaseMs;
      while (performance.now() < endsAt) {
        await this.beat(worker, held);
        await delay(worker.registered.beatEveryMs);
      }
      await worker.move(held, 'complete');
    }
  }

  private async beat(worker: WorkerClient, held: ClaimAnswer): Promise<void> {
    const { status, body } = await worker.move<Moved>(held, 'beat');
    if (status !== 200) return;
    this.beats += 1;
    this.look({ attemptId: held.attemptId, leaseUntil: body.leaseUntil ?? '' });
  }

  private look({ attemptId, leaseUntil }: Pick<ClaimAnswer, 'attemptId' | 'leaseUntil'>): void {
    const nowMs = performance.now();
    const heard = this.heard.get(attemptId) ?? { atMs: nowMs, longestGapMs: 0 };
    const longestGapMs = Math.max(heard.longestGapMs, nowMs - heard.atMs);
    this.heard.set(attemptId, { atMs: nowMs, longestGapMs });
    const isSane = this.clock.offsetsMs.some((offsetMs) => {
      const leftMs = Date.parse(leaseUntil) - (Date.now() + offsetMs);
      return leftMs > -slackMs && leftMs <= leaseMs + slackMs;
    });
    if (!isSane) this.insaneLeases.push(leaseUntil);
  }

  /** Claims a task of its own kind and says no more; @returns how long its lease lasted. */
  private async fallSilent(): Promise<number> {
    const taskId = await this.operator.submit({ agent: 'gemini', retries: 0 });
    const worker = await this.operator.register({ agents: ['gemini'] });
    const { attemptId } = await worker.mustClaim(minuteMs);
    const sinceMs = performance.now();
    const expired = () =>
      eventsOf(dispatchEventsIn(this.server.home), 'LeaseExpired').some(
        (it) => it.taskId === taskId && it.attemptId === attemptId,
      );
    await waitUntil('the silent one is reaped', expired, reapedWithinMs + takesEffectWithinMs);
    return Math.round(performance.now() - sinceMs);
  }
}

/** Whether nobody lost a task early, nobody kept one for ever, and every answer was right. */
export function isUnmoved(report: ClocksReport): boolean {
  const { earlyReaps, insaneLeases, claimedTwice, completedTwice, wrongTokens, backwards } = report;
  const { silentMs, jumps, submitted, completedOnce } = report;
  return (
    earlyReaps + backwards === 0 &&
    insaneLeases.length + claimedTwice.length + completedTwice.length + wrongTokens.length === 0 &&
    silentMs.length === jumps &&
    silentMs.every((ms) => ms >= leaseMs - slackMs && ms <= reapedWithinMs) &&
    completedOnce === submitted - jumps &&
    completedOnce > 0
  );
}

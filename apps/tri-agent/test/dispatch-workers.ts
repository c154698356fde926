import type {
  Claim,
  ClaimWish,
  Complete,
  DispatchCommand,
  Halted,
} from '#libs/dispatch/commands.js';
import type { DispatchEvent, RunningAttempt } from '#libs/dispatch/dispatch-state.js';

/** Chance that repeats itself under the same seed (mulberry32). */
export class Chance {
  constructor(private seed: number) {}

  /** 0 <= next < 1 */
  next(): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  upTo(max: number): number {
    return Math.floor(this.next() * max);
  }

  isBelow(probability: number): boolean {
    return this.next() < probability;
  }

  of<T>(items: readonly T[]): T {
    return items[this.upTo(items.length)]!;
  }
}

/** What the scripted workers see of the world. */
export interface World {
  readonly chance: Chance;
  readonly nowMs: number;
  /** Once true, nothing goes wrong any more. */
  readonly isCalm: boolean;
  newId(kind: string): string;
  wish(): ClaimWish;
  /** undefined = refused */
  send(command: DispatchCommand): readonly DispatchEvent[] | undefined;
  claim(command: Claim): readonly DispatchEvent[] | undefined;
  attempt(attemptId: string): RunningAttempt | undefined;
  beat(attemptId: string, isProgress: boolean): void;
}

interface Held {
  readonly attemptId: string;
  readonly taskId: string;
  readonly fencingToken: number;
  readonly doneAtMs: number;
  readonly isHung: boolean;
  isStarted: boolean;
}

/** That of the conversation that it carries on, else one of its own; some never tell. */
function sessionOf(world: World, attemptId: string): string | null {
  const running = world.attempt(attemptId);
  if (running?.carriesOn) return running.carriesOn.sessionId;
  return attemptId.endsWith('7') ? null : `session of ${attemptId}`;
}

/** A worker that crashes, stalls, lies and races. It believes what it remembers, not what is so. */
export class ScriptedWorker {
  private held: Held[] = [];
  /** What it had when it crashed, and may still speak of. */
  private ghosts: Held[] = [];
  private awayUntilMs = 0;

  constructor(readonly workerId: string) {}

  step(world: World): void {
    const { chance, nowMs, isCalm } = world;
    if (nowMs < this.awayUntilMs && !isCalm) return;
    if (!isCalm && chance.isBelow(0.01)) {
      this.goAway(world);
      return;
    }
    for (const held of [...this.held]) this.work(held, world);
    if (chance.isBelow(0.1)) this.haunt(world);
    if (chance.isBelow(0.8)) this.claim(world);
  }

  private goAway({ chance, nowMs }: World): void {
    // Short of its lease, or well beyond both.
    this.awayUntilMs = nowMs + chance.of([5_000, 20_000, 45_000, 400_000]);
    if (chance.isBelow(0.5)) return;
    this.ghosts.push(...this.held);
    this.held = [];
  }

  private claim(world: World): void {
    const { workerId } = this;
    const { nowMs } = world;
    const wish = world.wish();
    const command = { type: 'claim', workerId, ...wish, nowMs } as const;
    this.take(world.claim(command), world);
    // The answer was lost: it asks again under the same id.
    if (world.chance.isBelow(0.05)) this.take(world.send(command), world);
  }

  private take(events: readonly DispatchEvent[] | undefined, { chance, nowMs }: World): void {
    for (const { type, data } of events ?? []) {
      if (type !== 'TaskClaimed') continue;
      const { attemptId, taskId, fencingToken } = data;
      const doneAtMs = nowMs + 2_000 + chance.upTo(60_000);
      const isHung = chance.isBelow(0.05);
      this.held.push({ attemptId, taskId, fencingToken, doneAtMs, isHung, isStarted: false });
    }
  }

  private work(held: Held, world: World): void {
    const { chance, nowMs, isCalm } = world;
    const { attemptId, fencingToken } = held;
    const move = { attemptId, fencingToken, nowMs };
    if (!held.isStarted) {
      held.isStarted = true;
      const sessionId = sessionOf(world, attemptId);
      if (!this.tell(held, { type: 'start', ...move, sessionId }, world)) return;
    }
    // Its order comes over the control stream, or later with the answer to a beat.
    if (world.attempt(attemptId)?.halt && chance.isBelow(0.5)) {
      this.halt(held, world, null);
      return;
    }
    // It had heard of no server for a while, and has ended its agent by itself.
    if (!isCalm && chance.isBelow(0.01)) {
      this.halt(held, world, { reason: 'silence', goesOn: chance.isBelow(0.5) });
      return;
    }
    if (!this.tell(held, { type: 'beat', ...move }, world)) return;
    const isStuck = held.isHung && !isCalm;
    world.beat(attemptId, !isStuck);
    if (isStuck || nowMs < held.doneAtMs) {
      const percent = chance.upTo(101);
      if (!isStuck && chance.isBelow(0.2)) {
        this.tell(held, { type: 'progress', ...move, sessionId: null, percent }, world);
      }
      return;
    }
    this.finish(held, world);
  }

  private finish(held: Held, world: World): void {
    const { chance, nowMs, isCalm } = world;
    const { attemptId, fencingToken } = held;
    const move = { attemptId, fencingToken, nowMs };
    const claimNext = chance.isBelow(0.5) ? world.wish() : null;
    this.held = this.held.filter((it) => it !== held);
    const kind = isCalm ? 1 : chance.next();
    if (kind < 0.1) {
      const coolDown = { cause: 'rate-limit', random: chance.next() } as const;
      const retryAfterMs = chance.of([null, 1_000, 30_000]);
      const hint = chance.isBelow(0.3) ? { ...coolDown, retryAfterMs } : null;
      const cause = chance.of(['error', 'provider'] as const);
      const facts = { cause, error: 'scripted', retryable: chance.isBelow(0.8), coolDown: hint };
      this.take(world.send({ type: 'fail', ...move, ...facts, claimNext }), world);
    } else if (kind < 0.15) {
      world.send({ type: 'release', ...move, reason: 'scripted' });
    } else {
      const complete: Complete = { type: 'complete', ...move, resultHash: attemptId, claimNext };
      this.take(world.send(complete), world);
      this.lie(complete, world);
    }
  }

  private halt(held: Held, world: World, cutOff: Halted['cutOff']): void {
    const { chance, nowMs } = world;
    const { attemptId, fencingToken } = held;
    this.held = this.held.filter((it) => it !== held);
    const sessionId = chance.isBelow(0.5) ? null : sessionOf(world, attemptId);
    const seen = { cutOff, processesEnded: chance.upTo(4), survivors: [] };
    const halted = { type: 'halted', attemptId, fencingToken, sessionId, ...seen, nowMs } as const;
    world.send(halted);
    // Its answer was lost.
    if (chance.isBelow(0.1)) world.send(halted);
  }

  /** Completes again, with the same or with another result, or under a token that is not its own. */
  private lie(complete: Complete, world: World): void {
    const { chance } = world;
    if (!chance.isBelow(0.1)) return;
    const { fencingToken } = complete;
    const resultHash = chance.of([complete.resultHash, 'another result', null]);
    const token = Math.max(1, fencingToken + chance.of([0, 0, -1, 1]));
    world.send({ ...complete, resultHash, fencingToken: token, claimNext: null });
  }

  /** Speaks for attempts that it had before it crashed. */
  private haunt(world: World): void {
    const ghost = this.ghosts.pop();
    if (ghost === undefined) return;
    const { attemptId, fencingToken } = ghost;
    const move = { attemptId, fencingToken, nowMs: world.nowMs };
    if (world.chance.isBelow(0.5)) world.send({ type: 'start', ...move, sessionId: null });
    world.send({ type: 'complete', ...move, resultHash: `late ${attemptId}`, claimNext: null });
  }

  /** Whoever is refused stops. */
  private tell(held: Held, command: DispatchCommand, world: World): boolean {
    if (world.send(command) !== undefined) return true;
    this.held = this.held.filter((it) => it !== held);
    return false;
  }
}

import type { EventLog } from '#eventstore/src/log.js';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import type { Clock } from '#platform/clock.js';
import { Decisions, type CommandOrigin, type Decision } from '#platform/decisions.js';
import { refusalIn } from './attempts.decider.js';
import type { AttemptMove, BudgetReading, ClaimWish, DispatchCommand } from './commands.js';
import { dispatchDecider } from './dispatch.decider.js';
import type { DispatchEvent, DispatchState, RunningAttempt } from './dispatch-state.js';
import { queueFigures, type ShardFigures } from './queue-figures.js';
import { QueueWindow } from './queue-window.js';
import { slotsOf } from './queue-answers.js';
import { beatEveryMs, Signs } from './signs.js';
import type { Snapshots } from './snapshots.js';

type Untimed<Command> = Command extends DispatchCommand ? Omit<Command, 'nowMs'> : never;
/** A command as it comes in: the dispatcher says what time it is. */
export type Order = Untimed<DispatchCommand>;
type Move = Untimed<AttemptMove>;
type Decided = Decision<DispatchState, DispatchEvent>;

type Listener = (events: readonly DispatchEvent[], state: DispatchState) => void;

export interface DispatcherParts {
  readonly log: EventLog;
  /** The clock on the wall, for people to read. What is decided goes by a clock that never jumps. */
  readonly clock: Clock;
  readonly leaseMs: number;
  /** What budgets say at this moment. */
  readonly budgets: () => readonly BudgetReading[];
  /** Where there are none, a start folds all of the stream. */
  readonly snapshots?: Snapshots;
  /** Is told, once, why dispatch does not go on. */
  readonly report: (sentence: string) => void;
}

/**
 * Dispatch at work: takes commands in, lets time pass, and keeps in memory what no event is worth.
 *
 * Its clock goes on from the newest time that the log tells, by the monotonic clock of the machine:
 * it stands still while no server runs, and nobody who sets the clock on the wall can move it.
 */
export class Dispatcher {
  readonly leaseMs: number;
  /** Short leases are looked at more often, so that what is late can be told from what is gone. */
  private readonly tickMs: number;
  private readonly signs = new Signs();
  private readonly decisions: Decisions<DispatchCommand, DispatchState, DispatchEvent>;
  private readonly budgets: () => readonly BudgetReading[];
  private readonly listeners = new Set<Listener>();
  private window = new QueueWindow(0);
  private opening: Promise<void> | undefined;
  private offsetMs = 0;
  private tickedMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private ticking: Promise<void> | undefined;
  private reported = '';

  constructor(private readonly parts: DispatcherParts) {
    const { log, leaseMs, budgets, snapshots } = parts;
    this.decisions = new Decisions(log, DISPATCH_STREAM, dispatchDecider, async () => {
      const snapshot = await snapshots?.load(log);
      return snapshot && { state: snapshot.state, version: snapshot.streamVersion };
    });
    this.leaseMs = leaseMs;
    this.tickMs = Math.min(limits.dispatchTickMs, beatEveryMs(leaseMs));
    this.budgets = budgets;
  }

  /** Of the clock of dispatch. */
  get nowMs(): number {
    return Math.floor(performance.now() + this.offsetMs);
  }

  /** When a moment of the clock of dispatch is by the clock on the wall: ISO-8601 UTC. */
  wallTimeOf(momentMs: number): string {
    return new Date(this.parts.clock.now() + momentMs - this.nowMs).toISOString();
  }

  /** What dispatch knows, once the log has been read. Not to be kept: it changes. */
  async state(): Promise<DispatchState> {
    await this.open();
    return this.decisions.state;
  }

  /**
   * Tells of everything that is decided here, once it is durable.
   *
   * @returns what ends it
   */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What each shard is up to, over the last hour or since this server was started. */
  async figures(): Promise<{ windowMs: number; shards: ShardFigures[] }> {
    const state = await this.state();
    const { nowMs, window } = this;
    const shards = queueFigures(window, nowMs, (shard) => slotsOf(state, shard));
    return { windowMs: window.lengthMs(nowMs), shards };
  }

  /** Where the newest event that was decided here stands in the log. */
  get position(): bigint {
    return this.decisions.position;
  }

  /** What budgets say, for who explains why something waits. */
  budgetReadings(): readonly BudgetReading[] {
    return this.budgets();
  }

  start(): void {
    this.timer = setInterval(() => {
      this.ticking ??= this.tick().finally(() => {
        this.ticking = undefined;
      });
    }, this.tickMs);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.ticking;
    await this.parts.snapshots?.stop();
  }

  /**
   * Resolves when what was decided is durable.
   *
   * @throws {Refusal | LogError}
   */
  async order(order: Order, actor: string): Promise<Decided> {
    await this.open();
    return this.observed(await this.decisions.decide(this.timed(order), this.origin(actor)));
  }

  /** @throws {Refusal} what an order would be refused for now; nothing is changed. */
  async check(order: Order): Promise<void> {
    await this.open();
    dispatchDecider.decide(this.timed(order), this.decisions.state);
  }

  /**
   * Resolves with the attempt once there is a task for the worker, or with undefined when the signal
   * ends the wait. Claiming again under an id that stands gives the same attempt, and under one whose
   * attempt has ended nothing, at once.
   *
   * @throws {Refusal | LogError}
   */
  async claim(
    workerId: string,
    attemptId: string,
    actor: string,
    patience: AbortSignal | undefined,
  ): Promise<RunningAttempt | undefined> {
    await this.open();
    const command = () => this.timed({ type: 'claim', workerId, ...this.wish(attemptId) });
    const origin = this.origin(actor);
    const { running, ended } = this.decisions.state;
    // Of what has ended nothing can come, however long its worker waits.
    const isKnown = running.has(attemptId) || ended.has(attemptId);
    const decided =
      patience === undefined || isKnown
        ? await this.decisions.decide(command(), origin)
        : await this.decisions.decideWhenPossible(command, origin, patience);
    if (decided !== undefined) this.observed(decided);
    return this.decisions.state.running.get(attemptId);
  }

  /** @throws {Refusal} `STALE_FENCING_TOKEN` and others; a stale token is told in the log first. */
  async move(move: Move, actor: string): Promise<Decided> {
    const decided = await this.order(move, actor);
    const refusal = refusalIn(decided.events);
    if (refusal !== undefined) throw refusal;
    if (move.type === 'beat') this.signs.beat(move.attemptId, this.nowMs);
    const isNews = move.type === 'start' || move.type === 'progress';
    // What an event tells, the state knows already.
    if (isNews && decided.events.length === 0) this.progressed(move.attemptId);
    return decided;
  }

  /** The agent gets on, as its telemetry or its output shows. */
  progressed(attemptId: string): void {
    this.signs.progress(attemptId, this.nowMs);
  }

  wish(attemptId: string): ClaimWish {
    return { attemptId, budgets: this.budgets(), leaseMs: this.leaseMs };
  }

  private observed(decided: Decided): Decided {
    const { events, state } = decided;
    if (events.length > 0) for (const listener of this.listeners) listener(events, state);
    for (const event of events) {
      this.window.observe(event, (taskId) => state.tasks.get(taskId)?.spec.shard);
    }
    return decided;
  }

  private timed(order: Order): DispatchCommand {
    return { ...order, nowMs: this.nowMs };
  }

  private origin(actor: string): CommandOrigin {
    const occurredAt = new Date(this.parts.clock.now()).toISOString();
    return { commandId: null, actor, source: 'dispatch', occurredAt };
  }

  /** Every command waits for this: whatever ran when the last server ended gets a fresh lease first. */
  private open(): Promise<void> {
    this.opening ??= this.renewLeases().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async renewLeases(): Promise<void> {
    const { clockMs } = await this.decisions.catchUp();
    this.offsetMs = clockMs - performance.now();
    this.window = new QueueWindow(clockMs);
    await this.decisions.decide(this.timed({ type: 'after-restart' }), this.origin('dispatch'));
    this.tickedMs = performance.now();
  }

  private async tick(): Promise<void> {
    try {
      await this.open();
      const sinceMs = performance.now() - this.tickedMs;
      this.tickedMs = performance.now();
      // Who was stopped for as long as between two beats may hear of one only after this.
      const wasAway = sinceMs > Math.max(2 * this.tickMs, beatEveryMs(this.leaseMs));
      const passed: Order = wasAway
        ? { type: 'after-restart' }
        : { type: 'tick', signs: this.signs.all };
      await this.order(passed, 'dispatch');
      this.signs.prune(this.decisions.state);
      await this.decisions.reconsider();
      void this.parts.snapshots?.renewIfDue(this.decisions.streamVersion);
      this.reported = '';
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.reported) this.parts.report(`Dispatch does not go on: ${reason}`);
      this.reported = reason;
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { v5 } from 'uuid';
import type { EventLog } from '#eventstore/src/log.js';
import type {
  DataOf,
  DomainEvent,
  EventType,
  RecordedDomainEvent,
} from '#eventstore/vocabulary/vocabulary.js';
import { WATCH_STREAM } from '#eventstore/vocabulary/watch.events.js';
import type { RecordedEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import type { Clock } from '#platform/clock.js';
import { LookBack } from './look-back.policy.js';
import { Loops, type LoopFound } from './loops.policy.js';
import { Outbox } from './outbox.js';
import type { PositionFile } from './position-file.js';
import { recordedMs } from './session-key.policy.js';
import { silenceTypes } from './signs-of-life.policy.js';
import { Silences, type HeardAgain, type WentSilent } from './silence.policy.js';
import { estimateOf, type WatchedSession } from './watched-session.policy.js';

/** What is followed of the log. */
const types: readonly EventType[] = [...silenceTypes, 'TaskParked', 'TaskReplayed', 'LoopDetected'];

/** Of ids that come out again when the same is noticed again, after a restart or in another process. */
const NAMESPACE = '2f0f7d0a-3b43-4b66-9d3d-5d0b6c1c9e77';

export interface WatchParts {
  readonly log: EventLog;
  readonly clock: Clock;
  /** How often agents export their telemetry. */
  readonly exportIntervalMs: number;
  /** Where the log was read up to, for the next start; without it a start knows nothing of before. */
  readonly position?: PositionFile;
  /** Is told, once, why nothing is noticed. */
  readonly report: (sentence: string) => void;
  /** Milliseconds that go on evenly, whoever sets the clock on the wall. */
  readonly elapsedMs?: () => number;
}

/** A session of which nothing is heard, as it is told. Times are ISO-8601 UTC. */
export interface SilentNow extends Pick<
  WatchedSession,
  'agent' | 'sessionId' | 'taskId' | 'model' | 'team' | 'project'
> {
  readonly since: string;
  readonly silentMs: number;
  /** Null = no pace is known, so that nothing is estimated. */
  readonly nanoUsdPerMinute: number | null;
  readonly estimatedNanoUsd: number | null;
}

export type LoopTold = DataOf<'LoopDetected'> & { readonly detectedAt: string };

/**
 * Notices agents that run in circles and sessions that fall silent while a model works for them, writes it
 * into the log, and says what silent sessions may be spending.
 *
 * Its time is that of the wall when it was started, and goes on evenly from there.
 */
export class Watch {
  private readonly loops = new Loops();
  private readonly silences: Silences;
  private readonly outbox: Outbox;
  private readonly ending = new AbortController();
  private readonly elapsedMs: () => number;
  private readonly offsetMs: number;
  /** Loops that were detected since the start. */
  loopsSeen = 0;
  private loopsTold: LoopTold[] = [];
  private lookBack: LookBack | undefined;
  private startHead = 0n;
  private audibleSinceMs: number;
  private tickedMs: number;
  /** How far somebody has set the clock on the wall since the start. */
  private wallAheadMs = 0;
  private savedMs = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private following: Promise<void> | undefined;
  private ticking: Promise<void> | undefined;
  private reported = '';

  constructor(private readonly parts: WatchParts) {
    const { log, clock, exportIntervalMs, elapsedMs } = parts;
    this.elapsedMs = elapsedMs ?? (() => performance.now());
    this.offsetMs = clock.now() - this.elapsedMs();
    this.silences = new Silences(exportIntervalMs * limits.silentExportsMax);
    this.outbox = new Outbox(log, WATCH_STREAM);
    this.tickedMs = this.nowMs;
    this.audibleSinceMs = this.nowMs;
  }

  /** For how long nothing may be heard of a session whose request is open. */
  get silentAfterMs(): number {
    return this.silences.silentAfterMs;
  }

  /** Resolves when it is known from where the log has to be read. What comes in from then on is noticed. */
  async start(): Promise<void> {
    const after = await this.begin().catch((error: unknown) => {
      this.complain(error);
      return undefined;
    });
    this.following = this.follow(after);
    this.timer = setInterval(() => {
      this.ticking ??= this.tick().finally(() => {
        this.ticking = undefined;
      });
    }, limits.watchTickMs);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.ending.abort();
    await Promise.all([this.following, this.ticking]);
    await this.tell();
  }

  /**
   * Nano-dollars that sessions silent now are estimated to have spent in a span of time of the wall; what is
   * of no known pace counts nothing. It is gone as soon as a session is heard of, whose usage then counts.
   *
   * @param scope `all`, or `team:`, `project:`, `user:`, `agent:`, `model:`, `task:`, `session:` and a name
   */
  estimatedNanoUsd(scope: string, fromMs: number, toMs: number): number {
    const { nowMs } = this;
    const to = Math.min(toMs - this.wallAheadMs, nowMs);
    return this.silences.estimatedNanoUsd(scope, fromMs - this.wallAheadMs, to);
  }

  /** Those silent now, the one longest so first. */
  silentNow(): SilentNow[] {
    const { nowMs } = this;
    return this.silences.silent().map((session) => {
      const { agent, sessionId, taskId, model, team, project, silence } = session;
      const sinceMs = silence?.sinceMs ?? nowMs;
      return {
        ...{ agent, sessionId, taskId, model, team, project },
        since: this.wallTimeOf(sinceMs),
        silentMs: Math.max(0, nowMs - sinceMs),
        nanoUsdPerMinute: silence?.nanoUsdPerMinute ?? null,
        estimatedNanoUsd: estimateOf(session, 0, nowMs),
      };
    });
  }

  /** The loops of the last hour, the newest first. */
  loopsOfLate(): LoopTold[] {
    const sinceMs = this.parts.clock.now() - limits.loopQuietMs;
    return this.loopsTold.filter(({ detectedAt }) => Date.parse(detectedAt) >= sinceMs).reverse();
  }

  /** Lets time pass; the timer does so each second. */
  async tick(): Promise<void> {
    const { nowMs } = this;
    // While this process stood still it heard nothing, and what was sent meanwhile is still to be read.
    if (nowMs - this.tickedMs > limits.watchStoodStillMs) this.audibleSinceMs = nowMs;
    this.tickedMs = nowMs;
    // Followed only where it is a jump, so that a time that was told stays the same to the millisecond.
    const aheadMs = this.parts.clock.now() - nowMs;
    if (Math.abs(aheadMs - this.wallAheadMs) > limits.watchTickMs) this.wallAheadMs = aheadMs;
    for (const found of this.silences.tick(nowMs, this.audibleSinceMs)) this.wentSilent(found);
    await this.tell();
    await this.save();
  }

  private get nowMs(): number {
    return Math.floor(this.elapsedMs() + this.offsetMs);
  }

  private wallTimeOf(ownMs: number): string {
    return new Date(ownMs + this.wallAheadMs).toISOString();
  }

  private async follow(from: bigint | undefined): Promise<void> {
    const { log } = this.parts;
    const { signal } = this.ending;
    let after = from;
    while (!signal.aborted) {
      try {
        after ??= await this.begin();
        for await (const batch of log.follow(after, { signal, types })) {
          for (const event of batch) this.observe(event);
          after = batch.at(-1)?.position ?? after;
          // There is more to read: who was not heard may be in it.
          if (batch.length === limits.followBatchEvents) this.audibleSinceMs = this.nowMs;
          await this.tell();
        }
      } catch (error) {
        this.complain(error);
        await delay(limits.watchTickMs, undefined, { signal, ref: false }).catch(() => undefined);
        this.audibleSinceMs = this.nowMs;
      }
    }
  }

  /** @returns after which position the log is read, so that what was at work before is known */
  private async begin(): Promise<bigint> {
    const { log, position } = this.parts;
    this.startHead = await log.head();
    const saved = await position?.read();
    // A position that the log does not reach is of another log.
    const after = saved !== undefined && saved <= this.startHead ? saved : this.startHead;
    this.lookBack = new LookBack(after);
    return after;
  }

  private observe(recorded: RecordedEvent): void {
    const event = recorded as RecordedDomainEvent;
    const isOfBefore = event.position <= this.startHead;
    const heardMs = isOfBefore ? Math.min(recordedMs(event), this.nowMs) : this.nowMs;
    this.lookBack?.passed(event.position, heardMs);
    if (event.type === 'LoopDetected') this.remember(event.data, event.metadata.occurredAt);
    if (event.stream === WATCH_STREAM && !isOfBefore) {
      // What was noticed since the start is known already.
      if (event.type === 'LoopDetected') this.loopsSeen += 1;
      return;
    }
    const again = this.silences.observe(event, heardMs);
    if (again !== undefined) this.heardAgain(again, event);
    const loop = this.loops.observe(event);
    if (loop !== undefined) this.looped(loop);
  }

  private looped(loop: LoopFound): void {
    const { agent, sessionId, what, name, times, sinceMs, error, causeId, atMs } = loop;
    const taskId = loop.taskId ?? this.silences.taskOf(loop);
    const since = new Date(sinceMs).toISOString();
    const data = { agent, sessionId, taskId, what, name, times, since, error };
    this.note(`loop:${what}:${name}:${causeId}`, { type: 'LoopDetected', data }, causeId, atMs);
  }

  private wentSilent({ session, sinceMs, silentMs, nanoUsdPerMinute, lastEventId }: WentSilent) {
    const { agent, sessionId, taskId } = session;
    const since = this.wallTimeOf(sinceMs);
    const data = { agent, sessionId, taskId, since, silentMs };
    const pace = { estimatedNanoUsdPerMinute: nanoUsdPerMinute };
    const fact = { type: 'SessionWentSilent', data: { ...data, ...pace } } as const;
    this.note(`silent:${lastEventId}`, fact, lastEventId, this.parts.clock.now());
  }

  private heardAgain({ session, silence, silentMs }: HeardAgain, event: RecordedDomainEvent) {
    const { agent, sessionId, taskId } = session;
    const data = { agent, sessionId, taskId, silentMs };
    const fact = { type: 'SessionHeardAgain', data } as const;
    this.note(`heard:${silence.lastEventId}`, fact, event.id, recordedMs(event));
  }

  private note(
    name: string,
    fact: Pick<DomainEvent, 'type' | 'data'>,
    causationId: string,
    atMs: number,
  ): void {
    const occurredAt = new Date(atMs).toISOString();
    const metadata = { actor: 'policy:watch', source: 'watch', occurredAt, causationId };
    this.outbox.put({ id: v5(name, NAMESPACE), ...fact, metadata });
  }

  private remember(loop: DataOf<'LoopDetected'>, detectedAt: string): void {
    this.loopsTold = [...this.loopsTold, { ...loop, detectedAt }].slice(-limits.loopsShownMax);
  }

  private async tell(): Promise<void> {
    await this.outbox.send().then(() => {
      this.reported = '';
    }, this.complain);
  }

  private async save(): Promise<void> {
    const { nowMs } = this;
    const { lookBack } = this;
    const { position } = this.parts;
    if (position === undefined || lookBack === undefined) return;
    if (nowMs - this.savedMs < limits.watchSavedEveryMs) return;
    this.savedMs = nowMs;
    await position.write(lookBack.from(nowMs)).catch(this.complain);
  }

  private readonly complain = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === this.reported || this.ending.signal.aborted) return;
    this.report(reason);
  };

  private report(reason: string): void {
    this.parts.report(`Silent sessions and loops are not noticed: ${reason}`);
    this.reported = reason;
  }
}

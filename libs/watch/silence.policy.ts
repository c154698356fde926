import type { DataOf, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { Newest } from './newest.policy.js';
import { ModelPaces } from './paces.policy.js';
import { RunningAttempts } from './running-attempts.policy.js';
import { occurredMs, recordedMs, sessionKey } from './session-key.policy.js';
import {
  closesRequest,
  isOfWatchedSession,
  opensRequest,
  type WatchedEvent,
} from './signs-of-life.policy.js';
import {
  estimateOf,
  hasOpenRequest,
  isInScope,
  newSession,
  type Silence,
  type WatchedSession,
} from './watched-session.policy.js';

export interface WentSilent extends Silence {
  readonly session: WatchedSession;
  readonly silentMs: number;
}

export interface HeardAgain {
  readonly session: WatchedSession;
  /** What has ended. */
  readonly silence: Silence;
  readonly silentMs: number;
}

/**
 * Knows which sessions wait for an answer of a model and are not heard of, and what they may be spending.
 *
 * A request is taken to be open from a prompt, or a tool's result, until it is answered or given up. What
 * only helpers of the session ask of a model does not show whether the session itself waits.
 */
export class Silences {
  private readonly sessions = new Newest<WatchedSession>(limits.sessionsWatchedMax, (session) => {
    this.silentOnes.delete(session);
  });
  /** Few of all, and asked for often. The one longest so first. */
  private readonly silentOnes = new Set<WatchedSession>();
  private readonly models = new ModelPaces();
  private readonly attempts = new RunningAttempts();

  /** @param silentAfterMs for how long nothing may be heard while a request is open */
  constructor(readonly silentAfterMs: number) {}

  /**
   * Takes in what was heard at this moment.
   *
   * @returns what was silent until then
   */
  observe(event: RecordedDomainEvent, nowMs: number): HeardAgain | undefined {
    switch (event.type) {
      case 'UsageStated':
        return this.stated(event, nowMs);
      case 'SessionWentSilent':
        this.wentSilent(event);
        return undefined;
      case 'SessionHeardAgain': {
        const session = this.find(event.data);
        if (session !== undefined) this.silence(session, null);
        return undefined;
      }
      case 'KillConfirmed': {
        const { target } = event.data;
        if (target.kind === 'session') this.ended(sessionKey(target), event);
        else this.ended(this.attempts.end(target.taskId), event);
        return undefined;
      }
      default:
        if (isOfWatchedSession(event)) return this.heard(event, nowMs);
        this.dispatched(event, nowMs);
        return undefined;
    }
  }

  /**
   * Lets time pass.
   *
   * @param audibleSinceMs since when anything could have been heard
   */
  tick(nowMs: number, audibleSinceMs: number): WentSilent[] {
    const found: WentSilent[] = [];
    for (const session of this.sessions.all()) {
      const { heardMs, silence } = session;
      if (nowMs - heardMs >= limits.sessionForgottenMs) this.giveUp(session);
      else if (silence === null && hasOpenRequest(session)) {
        const quietMs = nowMs - Math.max(heardMs, audibleSinceMs);
        if (quietMs >= this.silentAfterMs) found.push(this.silenced(session, nowMs));
      }
    }
    return found;
  }

  /** Those silent now, the one longest so first. */
  silent(): WatchedSession[] {
    return [...this.silentOnes];
  }

  /** Nano-dollars that silent sessions are estimated to have spent in a span of time, by their known paces. */
  estimatedNanoUsd(scope: string, fromMs: number, toMs: number): number {
    let sum = 0;
    for (const session of this.silentOnes) {
      if (isInScope(session, scope)) sum += estimateOf(session, fromMs, toMs) ?? 0;
    }
    return Math.min(sum, Number.MAX_SAFE_INTEGER);
  }

  taskOf(session: Parameters<typeof sessionKey>[0]): string | null {
    return this.find(session)?.taskId ?? null;
  }

  private heard(event: WatchedEvent, nowMs: number): HeardAgain | undefined {
    const { agent, sessionId } = event.data;
    const key = sessionKey(event.data);
    const session = this.sessions.touch(key, () => newSession(agent, sessionId));
    this.attribute(session, event);
    const atMs = occurredMs(event);
    if (event.type === 'UsageRecorded') this.spent(session, event.data, atMs, nowMs);
    if (opensRequest(event) && recordedMs(event) - atMs < limits.sessionForgottenMs) {
      session.openedMs = Math.max(session.openedMs, atMs);
    }
    if (closesRequest(event)) session.closedMs = Math.max(session.closedMs, atMs);
    return this.sign(session, event.id, nowMs);
  }

  /** The agent's own file tells of an answer: only for sessions that are watched already. */
  private stated(event: Extract<RecordedDomainEvent, { type: 'UsageStated' }>, nowMs: number) {
    const session = this.find(event.data);
    if (session === undefined) return undefined;
    const times = event.data.requests.map(({ occurredAt }) => Date.parse(occurredAt));
    const newestMs = times.reduce((newest, time) => Math.max(newest, time));
    if (newestMs <= session.openedMs) return undefined;
    session.closedMs = Math.max(session.closedMs, newestMs);
    return this.sign(session, event.id, nowMs);
  }

  private sign(session: WatchedSession, id: string, nowMs: number): HeardAgain | undefined {
    const { silence } = session;
    Object.assign(session, { heardMs: nowMs, lastEventId: id });
    this.silence(session, null);
    return silence === null
      ? undefined
      : { session, silence, silentMs: Math.max(0, nowMs - silence.sinceMs) };
  }

  /** Only `openedMs` tells how long a request took of an agent that does not say. */
  private spent(
    session: WatchedSession,
    usage: DataOf<'UsageRecorded'>,
    atMs: number,
    nowMs: number,
  ): void {
    const sinceOpenedMs = hasOpenRequest(session) ? atMs - session.openedMs : null;
    const openMs = usage.durationMs ?? sinceOpenedMs;
    session.spend.add(usage.costNanoUsd, openMs);
    this.models.add(usage.model, usage.costNanoUsd, openMs, nowMs);
    if (usage.thread === 'main') session.model = usage.model;
  }

  private attribute(session: WatchedSession, { data }: WatchedEvent): void {
    const { taskId, team, project, userId } = data as Attribution;
    if (taskId !== undefined) session.taskId = taskId;
    session.team = team ?? session.team;
    session.project = project ?? session.project;
    session.userId = userId ?? session.userId;
    if (taskId === undefined) return;
    const attempt = this.attempts.bind(taskId, sessionKey(session));
    session.isAttempt ||= attempt !== undefined;
    session.model ??= attempt?.model ?? null;
  }

  private dispatched(event: RecordedDomainEvent, nowMs: number): void {
    switch (event.type) {
      case 'TaskClaimed':
        this.attempts.begin(event.data);
        return;
      case 'AttemptStarted':
      case 'ProgressReported': {
        const { taskId, sessionId } = event.data;
        const attempt = this.attempts.of(taskId);
        if (attempt === undefined || sessionId === null) return;
        const { agent, model } = attempt;
        const key = sessionKey({ agent, sessionId });
        this.attempts.bind(taskId, key);
        const make = () => ({ ...newSession(agent, sessionId), heardMs: nowMs });
        const session = this.sessions.touch(key, make);
        Object.assign(session, { taskId, isAttempt: true, model: session.model ?? model });
        return;
      }
      case 'LeaseExpired': {
        // Nobody has seen the agent end: it may go on where its worker is cut off.
        const key = this.attempts.end(event.data.taskId);
        const session = key === undefined ? undefined : this.sessions.get(key);
        if (session !== undefined) session.isAttempt = false;
        return;
      }
      case 'AttemptCompleted':
      case 'AttemptFailed':
      case 'AttemptReleased':
      case 'AttemptHalted':
      case 'ProgressDeadlineMissed':
      case 'TaskCancelled':
        this.ended(this.attempts.end(event.data.taskId), event);
        return;
      default:
    }
  }

  /** What it had open by then is over, and nobody will tell of it. */
  private ended(key: string | undefined, event: RecordedDomainEvent): void {
    const session = key === undefined ? undefined : this.sessions.get(key);
    if (session === undefined) return;
    session.closedMs = Math.max(session.closedMs, session.openedMs, recordedMs(event));
    this.silence(session, null);
    session.isAttempt = false;
  }

  private silenced(session: WatchedSession, nowMs: number): WentSilent {
    const { heardMs, lastEventId, model } = session;
    const ofModel = model === null ? null : this.models.paceOf(model, nowMs);
    const nanoUsdPerMinute = session.spend.pace ?? ofModel;
    const silence = { sinceMs: heardMs, nanoUsdPerMinute, lastEventId };
    this.silence(session, silence);
    return { ...silence, session, silentMs: nowMs - heardMs };
  }

  /** The log says so already, of a time before the start. */
  private wentSilent({
    data,
    metadata,
  }: Extract<RecordedDomainEvent, { type: 'SessionWentSilent' }>) {
    const session = this.find(data);
    // Heard of since, though the log has it in the other order.
    if (session === undefined || session.lastEventId !== metadata.causationId) return;
    const { estimatedNanoUsdPerMinute: nanoUsdPerMinute } = data;
    const { lastEventId } = session;
    const sinceMs = Date.parse(data.since);
    this.silence(session, { sinceMs, nanoUsdPerMinute, lastEventId });
  }

  private giveUp(session: WatchedSession): void {
    if (session.isAttempt) {
      session.closedMs = session.openedMs;
      this.silence(session, null);
    } else this.sessions.delete(sessionKey(session));
  }

  private silence(session: WatchedSession, silence: Silence | null): void {
    session.silence = silence;
    if (silence === null) this.silentOnes.delete(session);
    else this.silentOnes.add(session);
  }

  private find(session: Parameters<typeof sessionKey>[0]): WatchedSession | undefined {
    return this.sessions.get(sessionKey(session));
  }
}

type Attribution = Partial<Record<'taskId' | 'team' | 'project' | 'userId', string>>;

import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { DataOf, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { FailedAttempts } from './failed-attempts.policy.js';
import { FailedRequests, type FailureTold } from './failed-requests.policy.js';
import { Newest } from './newest.policy.js';
import { occurredMs, sessionKey } from './session-key.policy.js';
import { ToolCalls } from './tool-calls.policy.js';

/** A loop, and the event that made it one. */
export interface LoopFound {
  readonly agent: AgentName;
  readonly sessionId: string;
  /** Null where the row does not tell. */
  readonly taskId: string | null;
  readonly what: DataOf<'LoopDetected'>['what'];
  readonly name: string;
  readonly times: number;
  readonly sinceMs: number;
  readonly error: string;
  readonly causeId: string;
  readonly atMs: number;
}

interface SessionRows {
  answeredMs: number;
  readonly requests: Newest<FailedRequests>;
  readonly tools: ToolCalls;
}

/** Finds agents that fail, or do the same, over and over. Raises each loop once until it has ended, or for an hour. */
export class Loops {
  private readonly sessions = new Newest<SessionRows>(limits.loopSessionsMax);
  private readonly attempts = new FailedAttempts();

  observe(event: RecordedDomainEvent): LoopFound | undefined {
    const atMs = occurredMs(event);
    const found = this.rowIn(event, atMs);
    return found && { ...found, causeId: event.id, atMs };
  }

  private rowIn(event: RecordedDomainEvent, atMs: number) {
    switch (event.type) {
      case 'RequestFailed':
        return this.requestFailed(event, atMs, event.data.attempt, event.data.error);
      case 'RetriesExhausted':
        return this.requestFailed(event, atMs, event.data.attempts, event.data.error);
      case 'RequestRetried': {
        const { succeeded, attempts, errorClass = '' } = event.data;
        return succeeded ? undefined : this.requestFailed(event, atMs, attempts, errorClass);
      }
      case 'UsageRecorded':
        this.answered(event.data, atMs);
        return undefined;
      case 'ToolFinished': {
        const { agent, sessionId } = event.data;
        const row = this.rowsOf(event.data).tools.finished(event.data, atMs);
        return row && { agent, sessionId, taskId: null, ...row };
      }
      case 'LoopDetected':
        this.raised(event.data, atMs);
        return undefined;
      default: {
        const row = this.attempts.observe(event, atMs);
        return row && { ...row, what: 'attempt' as const, name: row.taskId };
      }
    }
  }

  private requestFailed(
    event: Extract<RecordedDomainEvent, { type: FailureTold['by'] }>,
    atMs: number,
    attempts: number | null,
    error: string,
  ) {
    const { agent, sessionId, model } = event.data;
    const { answeredMs, requests } = this.rowsOf(event.data);
    // Told late, of a time before an answer that is known already.
    if (atMs <= answeredMs) return undefined;
    const { id, type: by } = event;
    const failure = { id, by, atMs, attempts };
    const row = requests.touch(model, () => new FailedRequests()).failed(failure, error);
    return row && { agent, sessionId, taskId: null, what: 'request' as const, name: model, ...row };
  }

  private answered(session: Session, atMs: number): void {
    const rows = this.rowsOf(session);
    rows.answeredMs = Math.max(rows.answeredMs, atMs);
    for (const requests of rows.requests.all()) requests.answered(atMs);
  }

  /** The log says so already: perhaps of events that are not read again. */
  private raised(loop: DataOf<'LoopDetected'>, atMs: number): void {
    const { what, name } = loop;
    if (what === 'attempt') {
      this.attempts.raised(name);
      return;
    }
    const { requests, tools } = this.rowsOf(loop);
    if (what === 'request') requests.touch(name, () => new FailedRequests()).raised(atMs);
    else tools.raised(what, name, atMs);
  }

  private rowsOf(session: Session): SessionRows {
    return this.sessions.touch(sessionKey(session), () => ({
      answeredMs: -Infinity,
      requests: new Newest(limits.loopRowsPerSessionMax),
      tools: new ToolCalls(),
    }));
  }
}

interface Session {
  readonly agent: AgentName;
  readonly sessionId: string;
}

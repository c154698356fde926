import { join } from 'node:path';
import Database from 'better-sqlite3';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import type { DispatchEvent } from '#libs/dispatch/dispatch-state.js';

/** What the file of the log says of dispatch, whatever the server would answer. */
export function dispatchEventsIn(home: string): DispatchEvent[] {
  const db = new Database(join(home, 'events.db'), { readonly: true });
  try {
    const rows = db
      .prepare('SELECT type, data FROM events WHERE stream = ? ORDER BY position')
      .iterate(DISPATCH_STREAM) as Iterable<{ type: string; data: string }>;
    return Array.from(
      rows,
      ({ type, data }) => ({ type, data: JSON.parse(data) as unknown }) as DispatchEvent,
    );
  } finally {
    db.close();
  }
}

export type EventOf<T extends DispatchEvent['type']> = Extract<DispatchEvent, { type: T }>;

export function eventsOf<T extends DispatchEvent['type']>(
  events: readonly DispatchEvent[],
  type: T,
): EventOf<T>['data'][] {
  return events
    .filter((event) => event.type === type)
    .map(({ data }) => data as EventOf<T>['data']);
}

export interface Audit {
  readonly submitted: number;
  readonly claims: number;
  /** Tasks that have exactly one AttemptCompleted, under the token of its claim. */
  readonly completedOnce: number;
  readonly completedTwice: readonly string[];
  readonly neverCompleted: readonly string[];
  /** Tasks that were claimed while another attempt had them. */
  readonly claimedTwice: readonly string[];
  /** Claims whose token is not above that of every claim before, and ends under another token. */
  readonly wrongTokens: readonly number[];
  /** Attempts that came to nothing, by the event that ended them. */
  readonly lostAttempts: Readonly<Record<string, number>>;
  /** Events whose moment lies before that of the event before them. */
  readonly backwards: number;
}

/** Reads the log from its beginning, event by event, by rules of its own: the decider is not asked. */
export function auditOf(events: readonly DispatchEvent[]): Audit {
  const holder = new Map<string, { attemptId: string; fencingToken: number }>();
  const completions = new Map<string, number>();
  const claimedTwice: string[] = [];
  const wrongTokens: number[] = [];
  const lostAttempts: Record<string, number> = {};
  let [claims, lastToken, lastMs, backwards] = [0, 0, 0, 0];
  const leave = (ended: { taskId: string; attemptId: string; fencingToken: number }): void => {
    const { attemptId, fencingToken } = holder.get(ended.taskId) ?? {};
    const isHolder = attemptId === ended.attemptId && fencingToken === ended.fencingToken;
    if (!isHolder) wrongTokens.push(ended.fencingToken);
    holder.delete(ended.taskId);
  };
  for (const { type, data } of events) {
    if (data.atMs < lastMs) backwards += 1;
    lastMs = data.atMs;
    switch (type) {
      case 'TaskSubmitted':
        completions.set(data.taskId, 0);
        break;
      case 'TaskClaimed':
        claims += 1;
        if (holder.has(data.taskId) || completions.get(data.taskId) !== 0)
          claimedTwice.push(data.taskId);
        if (data.fencingToken <= lastToken) wrongTokens.push(data.fencingToken);
        lastToken = data.fencingToken;
        holder.set(data.taskId, data);
        break;
      case 'AttemptCompleted':
        completions.set(data.taskId, (completions.get(data.taskId) ?? 0) + 1);
        leave(data);
        break;
      case 'AttemptFailed':
      case 'AttemptHalted':
      case 'AttemptReleased':
      case 'LeaseExpired':
      case 'ProgressDeadlineMissed':
        lostAttempts[type] = (lostAttempts[type] ?? 0) + 1;
        leave(data);
        break;
      default:
        break;
    }
  }
  const tasksWith = (isMeant: (count: number) => boolean): string[] =>
    [...completions].filter(([, count]) => isMeant(count)).map(([taskId]) => taskId);
  return {
    submitted: completions.size,
    claims,
    completedOnce: tasksWith((count) => count === 1).length,
    completedTwice: tasksWith((count) => count > 1),
    neverCompleted: tasksWith((count) => count === 0),
    claimedTwice,
    wrongTokens,
    lostAttempts,
    backwards,
  };
}

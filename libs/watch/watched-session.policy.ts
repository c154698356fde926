import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';
import { Spend } from './paces.policy.js';

export interface Silence {
  /** When the session was last heard of. */
  readonly sinceMs: number;
  /** Null = nobody knows. */
  readonly nanoUsdPerMinute: number | null;
  /** The last event of the session before it. */
  readonly lastEventId: string;
}

/** What is known of a session at work. Times are of the server's clock unless they say otherwise. */
export interface WatchedSession {
  readonly agent: AgentName;
  readonly sessionId: string;
  taskId: string | null;
  model: string | null;
  team: string | null;
  project: string | null;
  userId: string | null;
  /** Whether it is of an attempt that is known to run, whose end will be told. */
  isAttempt: boolean;
  heardMs: number;
  lastEventId: string;
  /** The newest sign that a request began, and that one ended, by the agent's clock: in any order. */
  openedMs: number;
  closedMs: number;
  readonly spend: Spend;
  silence: Silence | null;
}

export function newSession(agent: AgentName, sessionId: string): WatchedSession {
  return {
    ...{ agent, sessionId, taskId: null, model: null, team: null, project: null, userId: null },
    ...{ isAttempt: false, heardMs: 0, lastEventId: '', openedMs: -Infinity, closedMs: -Infinity },
    ...{ spend: new Spend(), silence: null },
  };
}

export function hasOpenRequest({ openedMs, closedMs }: WatchedSession): boolean {
  return openedMs > closedMs;
}

/**
 * For how long silence is taken for spending. The end of an attempt is told, so that it may be long; a
 * session that a person began may have been closed without a word.
 */
function spendMsMax({ isAttempt }: WatchedSession): number {
  return isAttempt ? limits.silentAttemptSpendMs : limits.silentSessionSpendMs;
}

/** What is estimated of a silent session's spend in a span of time; null = no pace is known. */
export function estimateOf(session: WatchedSession, fromMs: number, toMs: number): number | null {
  const { silence } = session;
  if (silence === null) return 0;
  if (silence.nanoUsdPerMinute === null) return null;
  const from = Math.max(silence.sinceMs, fromMs);
  const to = Math.min(silence.sinceMs + spendMsMax(session), toMs);
  return Math.round((Math.max(0, to - from) / 60_000) * silence.nanoUsdPerMinute);
}

/** Whether its spend counts under a scope such as `all`, `team:core` or `session:<id>`. */
export function isInScope(session: WatchedSession, scope: string): boolean {
  if (scope === 'all') return true;
  const [, kind = '', name = ''] = /^(\w+):(.+)$/s.exec(scope) ?? [];
  const value = scoped[kind]?.(session);
  return value !== undefined && value !== null && value === name;
}

const scoped: Readonly<Record<string, (session: WatchedSession) => string | null>> = {
  team: ({ team }) => team,
  project: ({ project }) => project,
  user: ({ userId }) => userId,
  agent: ({ agent }) => agent,
  model: ({ model }) => model,
  task: ({ taskId }) => taskId,
  session: ({ sessionId }) => sessionId,
};

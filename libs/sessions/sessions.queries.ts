import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { agentName, type AgentName } from '#eventstore/vocabulary/shapes.events.js';
import { Refusal } from '#kernel/refusal.js';
import { Clock } from '#platform/clock.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import { ReadModels } from '#platform/read-models.js';
import { contextWindowOf } from './context-window.js';
import { sessionsProjection } from './sessions.projection.js';
import type { Session, SessionsQuery } from './sessions.shapes.js';
import { usageProjection } from './usage.projection.js';
import { describeUsage, sumsOf, type UsageSums } from './usage-sums.js';

/**
 * A session is active for this long after its last event, then idle, then ended. Only a guess can be
 * made: no agent says that it ended, and each can be resumed at any time.
 */
const ACTIVE_MS = 5 * 60_000;
const IDLE_MS = 24 * 60 * 60_000;

/** Usage from metrics stands for a session of which no request was ever seen. */
const select = `
  SELECT session.agent, session.session_id AS sessionId, project, team, task_id AS taskId,
    user_id AS user, started_at AS startedAt, last_activity_at AS lastActivityAt,
    coalesce(model, metered_model) AS model, context_tokens AS contextTokens,
    prompts, tool_calls AS toolCalls, errors, retries, compactions, subagents, ${sumsOf('used')}
  FROM sessions AS session
  LEFT JOIN usage_by_session AS request ON request.agent = session.agent
    AND request.session_id = session.session_id AND request.origin = 'requests'
  LEFT JOIN usage_by_session AS used ON used.agent = session.agent
    AND used.session_id = session.session_id
    AND used.origin = CASE WHEN request.requests > 0 THEN 'requests' ELSE 'metrics' END`;

interface Row extends UsageSums {
  readonly agent: AgentName;
  readonly sessionId: string;
  readonly project: string | null;
  readonly team: string | null;
  readonly taskId: string | null;
  readonly user: string | null;
  readonly startedAt: bigint;
  readonly lastActivityAt: bigint;
  readonly model: string | null;
  readonly contextTokens: bigint | null;
  readonly prompts: bigint;
  readonly toolCalls: bigint;
  readonly errors: bigint;
  readonly retries: bigint;
  readonly compactions: bigint;
  readonly subagents: bigint;
}

interface Filter {
  readonly agent: string | null;
  readonly model: string | null;
  readonly project: string | null;
  readonly from: number;
  readonly until: number;
  readonly at: number;
  readonly afterAgent: string;
  readonly afterId: string;
  readonly limit: number;
}

const list = `${select}
  WHERE last_activity_at >= @from AND last_activity_at < @until
    AND (last_activity_at, session.agent, session.session_id) < (@at, @afterAgent, @afterId)
    AND (@agent IS NULL OR session.agent = @agent)
    AND (@model IS NULL OR coalesce(model, metered_model) = @model)
    AND (@project IS NULL OR project = @project)
  ORDER BY last_activity_at DESC, session.agent DESC, session.session_id DESC
  LIMIT @limit`;

const find = `${select}
  WHERE session.session_id = ? AND (? IS NULL OR session.agent = ?) ORDER BY session.agent`;

const countSince = 'SELECT count(*) AS sessions FROM sessions WHERE last_activity_at >= ?';

const models = [sessionsProjection, usageProjection];

const cursorParts = z.tuple([z.int(), agentName, z.string()]);

@Injectable()
export class SessionsQueries {
  constructor(
    private readonly models: ReadModels,
    private readonly clock: Clock,
  ) {}

  /**
   * Sessions by their last activity, the newest first. A page goes on from where the last one ended:
   * a session that is active meanwhile moves up to the first page and is not repeated.
   */
  list(query: SessionsQuery): { items: Session[]; nextCursor: string | null } {
    const now = this.clock.now();
    const rows = this.models.read(models, (prepare) =>
      prepare<[Filter], Row>(list).all(filterOf(query, now)),
    );
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    const more = rows.length > page.length && last !== undefined;
    return {
      items: page.map((row) => describe(row, now)),
      nextCursor: more
        ? encodeCursor([Number(last.lastActivityAt), last.agent, last.sessionId])
        : null,
    };
  }

  /** How many sessions are at work, and how many may still be taken up again. */
  countByState(): { active: number; idle: number } {
    const now = this.clock.now();
    const [active, alive] = this.models.read(sessionsProjection, (prepare) =>
      [now - ACTIVE_MS, now - IDLE_MS].map(
        (since) => prepare<[number], { sessions: bigint }>(countSince).get(since)?.sessions ?? 0n,
      ),
    );
    return { active: Number(active), idle: Number((alive ?? 0n) - (active ?? 0n)) };
  }

  /**
   * @throws {Refusal} `SESSION_NOT_FOUND`; `SESSION_AMBIGUOUS` when several agents have this id and
   *   none is named.
   */
  find(sessionId: string, agent?: AgentName): Session {
    const wanted = agent ?? null;
    const [row, ...others] = this.models.read(models, (prepare) =>
      prepare<(string | null)[], Row>(find).all(sessionId, wanted, wanted),
    );
    if (row === undefined) {
      throw new Refusal('SESSION_NOT_FOUND', 'There is no session with this id.', { sessionId });
    }
    if (others.length > 0) {
      throw new Refusal(
        'SESSION_AMBIGUOUS',
        'Several agents have a session with this id. Name one with ?agent=.',
        { agents: [row, ...others].map((it) => it.agent) },
      );
    }
    return describe(row, this.clock.now());
  }
}

function filterOf(query: SessionsQuery, now: number): Filter {
  const states = {
    active: [now - ACTIVE_MS, Number.MAX_SAFE_INTEGER],
    idle: [now - IDLE_MS, now - ACTIVE_MS],
    ended: [0, now - IDLE_MS],
  } as const;
  const [from, until] = query.state ? states[query.state] : [0, Number.MAX_SAFE_INTEGER];
  const since = query.since === undefined ? 0 : Date.parse(query.since);
  const [at, afterAgent, afterId] =
    query.cursor === undefined
      ? ([Number.MAX_SAFE_INTEGER, '', ''] as const)
      : decodeCursor(query.cursor, cursorParts);
  return {
    agent: query.agent ?? null,
    model: query.model ?? null,
    project: query.project ?? null,
    from: Math.max(from, since),
    until,
    at,
    afterAgent,
    afterId,
    // One more than asked for tells whether there is a next page.
    limit: query.limit + 1,
  };
}

function stateOf(lastActivityAt: number, now: number): Session['state'] {
  if (lastActivityAt >= now - ACTIVE_MS) return 'active';
  return lastActivityAt >= now - IDLE_MS ? 'idle' : 'ended';
}

function describe(row: Row, now: number): Session {
  const lastActivityAt = Number(row.lastActivityAt);
  const contextTokens = row.contextTokens === null ? null : Number(row.contextTokens);
  const contextWindow = contextWindowOf(row.model);
  const usage = describeUsage(row);
  const metered = row.requests === 0n && (usage.costUsd === null || row.priced > 0n);
  return {
    sessionId: row.sessionId,
    agent: row.agent,
    model: row.model,
    state: stateOf(lastActivityAt, now),
    ...usage,
    usageSource: metered ? 'metrics' : 'requests',
    contextTokens,
    contextWindow,
    contextFill:
      contextTokens === null || contextWindow === null
        ? null
        : Math.min(1, contextTokens / contextWindow),
    startedAt: new Date(Number(row.startedAt)).toISOString(),
    lastActivityAt: new Date(lastActivityAt).toISOString(),
    taskId: row.taskId,
    project: row.project,
    team: row.team,
    user: row.user,
    prompts: Number(row.prompts),
    toolCalls: Number(row.toolCalls),
    errors: Number(row.errors),
    retries: Number(row.retries),
    compactions: Number(row.compactions),
    subagents: Number(row.subagents),
  };
}

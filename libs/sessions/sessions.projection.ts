import type { Database } from 'better-sqlite3';
import {
  isOfSession,
  type SessionEventType,
  type DataOf,
  type RecordedDomainEvent,
} from '#eventstore/vocabulary/vocabulary.js';
import type { Projection } from '#platform/projection.js';
import { momentsOf, occurredAtMs } from './event-time.js';

/**
 * One row per agent session. What it used is another read model's (usage.projection.ts).
 *
 * `model`, `context_tokens` and who the session works for follow the time at which things happened,
 * so that a late event never sets them back.
 */
const schema = `
  CREATE TABLE sessions (
    agent TEXT NOT NULL,
    session_id TEXT NOT NULL,
    project TEXT,
    team TEXT,
    task_id TEXT,
    user_id TEXT,
    started_at INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    model TEXT,
    model_at INTEGER NOT NULL DEFAULT 0,
    metered_model TEXT,
    metered_model_at INTEGER NOT NULL DEFAULT 0,
    context_tokens INTEGER,
    context_at INTEGER NOT NULL DEFAULT 0,
    prompts INTEGER NOT NULL DEFAULT 0,
    tool_calls INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0,
    retries INTEGER NOT NULL DEFAULT 0,
    compactions INTEGER NOT NULL DEFAULT 0,
    subagents INTEGER NOT NULL DEFAULT 0,
    UNIQUE (agent, session_id)
  ) STRICT;
  CREATE INDEX sessions_by_activity ON sessions (last_activity_at);
  CREATE INDEX sessions_by_id ON sessions (session_id);`;

const later = 'excluded.last_activity_at >= last_activity_at';
const newest = (column: string) =>
  `${column} = CASE WHEN ${later} THEN coalesce(excluded.${column}, ${column})
    ELSE coalesce(${column}, excluded.${column}) END`;

/** A column that belongs with a time of its own: it changes only when that does not go back. */
const dated = (column: string, time: string) =>
  `${column} = CASE WHEN excluded.${time} >= ${time} THEN excluded.${column} ELSE ${column} END`;
const latest = (time: string) => `${time} = max(${time}, excluded.${time})`;

const identity = 'agent, session_id, project, team, task_id, user_id, started_at, last_activity_at';
const touched = [
  ...['project', 'team', 'task_id', 'user_id'].map(newest),
  'started_at = min(started_at, excluded.started_at)',
  latest('last_activity_at'),
].join(', ');

const touchSession = `
  INSERT INTO sessions (${identity}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (agent, session_id) DO UPDATE SET ${touched}`;

const addRequest = `
  INSERT INTO sessions (${identity}, model, model_at, context_tokens, context_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (agent, session_id) DO UPDATE SET ${touched},
    ${dated('model', 'model_at')}, ${latest('model_at')},
    ${dated('context_tokens', 'context_at')}, ${latest('context_at')}`;

const addReadings = `
  INSERT INTO sessions (${identity}, metered_model, metered_model_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (agent, session_id) DO UPDATE SET ${touched},
    ${dated('metered_model', 'metered_model_at')}, ${latest('metered_model_at')}`;

const compact = `
  INSERT INTO sessions (${identity}, context_tokens, context_at, compactions)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
  ON CONFLICT (agent, session_id) DO UPDATE SET ${touched}, compactions = compactions + 1,
    ${dated('context_tokens', 'context_at')}, ${latest('context_at')}`;

const count = (counter: Counter) => `
  INSERT INTO sessions (${identity}, ${counter}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (agent, session_id) DO UPDATE SET ${touched},
    ${counter} = ${counter} + excluded.${counter}`;

type Counter = 'prompts' | 'tool_calls' | 'errors' | 'retries' | 'subagents';
type SessionEvent = Extract<RecordedDomainEvent, { type: SessionEventType }>;
type Tokens = 'inputTokens' | 'cacheReadTokens' | 'cacheCreationTokens' | 'outputTokens';
type Attribution = Pick<DataOf<'SessionStarted'>, 'project' | 'team' | 'taskId' | 'userId'>;

/** How much an event adds to which counter. */
function countedBy(event: SessionEvent): readonly [Counter, number] | undefined {
  switch (event.type) {
    case 'PromptSubmitted':
      return ['prompts', 1];
    case 'ToolFinished':
      return ['tool_calls', 1];
    case 'SubagentFinished':
      return ['subagents', 1];
    case 'RequestFailed':
      return ['errors', 1];
    case 'RequestRetried':
      // Of a request that failed for good, RetriesExhausted tells the same.
      return event.data.succeeded ? ['retries', retriesOf(event.data.attempts)] : undefined;
    case 'RetriesExhausted':
      return ['retries', retriesOf(event.data.attempts)];
    default:
      return undefined;
  }
}

function retriesOf(attempts: number): number {
  return Math.max(0, attempts - 1);
}

/** What to bind of requests that a file states: the session from the first to the last of them. */
function whatIsStated(event: RecordedDomainEvent & { type: 'UsageStated' }) {
  const { agent, sessionId, requests } = event.data;
  const atMs = momentsOf(event);
  const timed = requests
    .map((stated) => ({ ...stated, at: atMs(stated.occurredAt) }))
    .sort((a, b) => a.at - b.at);
  const project = timed.findLast((it) => it.project !== undefined)?.project;
  const [first, last] = [timed[0]?.at ?? 0, timed.at(-1)?.at ?? 0];
  const who = [agent, sessionId, project, undefined, undefined, undefined, first, last] as const;
  const main = timed.findLast(({ thread }) => thread === 'main');
  const shown =
    main === undefined
      ? ([timed.at(-1)?.model, 0, null, 0] as const)
      : ([main.model, main.at, contextOf(main), main.at] as const);
  return [...who, ...shown] as const;
}

function contextOf(usage: Pick<DataOf<'UsageRecorded'>, Tokens>): number {
  const { inputTokens, cacheReadTokens, cacheCreationTokens, outputTokens } = usage;
  return inputTokens + cacheReadTokens + cacheCreationTokens + outputTokens;
}

function prepare(db: Database): (event: RecordedDomainEvent) => void {
  const touch = db.prepare(touchSession);
  const request = db.prepare(addRequest);
  const metered = db.prepare(addReadings);
  const compaction = db.prepare(compact);
  const counters = {
    prompts: db.prepare(count('prompts')),
    tool_calls: db.prepare(count('tool_calls')),
    errors: db.prepare(count('errors')),
    retries: db.prepare(count('retries')),
    subagents: db.prepare(count('subagents')),
  };

  return (event) => {
    // A correction of the books is no sign of life.
    if (!isOfSession(event) || event.type === 'UsageRepriced') return;
    if (event.type === 'UsageStated') {
      request.run(...whatIsStated(event));
      return;
    }
    const at = occurredAtMs(event);
    const { agent, sessionId } = event.data;
    const { project, team, taskId, userId } = event.data as Attribution;
    const who = [agent, sessionId, project, team, taskId, userId, at, at] as const;
    if (event.type === 'UsageRecorded') {
      const context = contextOf(event.data);
      const main = event.data.thread === 'main';
      // A model that is none of the main thread's stands until the main thread tells its own.
      const shown = main ? [event.data.model, at, context, at] : [event.data.model, 0, null, 0];
      request.run(...who, ...shown);
    } else if (event.type === 'UsageMetered') {
      const shown = [event.data.model, event.data.thread === 'main' ? at : 0];
      metered.run(...who, ...shown);
    } else if (event.type === 'ContextCompacted' && event.data.succeeded) {
      compaction.run(...who, event.data.postTokens, at);
    } else {
      const counted = countedBy(event);
      if (counted === undefined) touch.run(...who);
      else counters[counted[0]].run(...who, counted[1]);
    }
  };
}

export const sessionsProjection: Projection = {
  name: 'sessions',
  version: 2,
  tables: ['sessions'],
  schema,
  prepare,
};

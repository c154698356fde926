import type { Database } from 'better-sqlite3';
import type { DataOf, RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Projection } from '#platform/projection.js';
import { occurredAtMs } from './event-time.js';
import { meteredAmounts, meteredSeriesSchema } from './metered-usage.js';
import { addedSums, requestAmounts, sumColumns } from './usage-sums.js';

/**
 * One row per agent session. Sums from requests and from metrics are kept side by side, so that it
 * does not matter which arrive first: a query takes those from requests where there are any.
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
    ${sumColumns()},
    ${sumColumns('metered_')},
    UNIQUE (agent, session_id)
  ) STRICT;
  CREATE INDEX sessions_by_activity ON sessions (last_activity_at, agent, session_id);
  CREATE INDEX sessions_by_id ON sessions (session_id);
  ${meteredSeriesSchema('sessions_metered_series')}`;

const later = 'excluded.last_activity_at >= last_activity_at';
const newest = (column: string) =>
  `${column} = CASE WHEN ${later} THEN coalesce(excluded.${column}, ${column})
    ELSE coalesce(${column}, excluded.${column}) END`;

const touched = `
  INSERT INTO sessions
    (agent, session_id, project, team, task_id, user_id, started_at, last_activity_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (agent, session_id) DO UPDATE SET
    ${['project', 'team', 'task_id', 'user_id'].map(newest).join(', ')},
    started_at = min(started_at, excluded.started_at),
    last_activity_at = max(last_activity_at, excluded.last_activity_at)`;

const thisSession = 'WHERE agent = @agent AND session_id = @sessionId';

const requested = `
  UPDATE sessions SET ${addedSums()},
    model = CASE WHEN @main AND @at >= model_at THEN @model ELSE model END,
    model_at = CASE WHEN @main THEN max(model_at, @at) ELSE model_at END,
    context_tokens = CASE WHEN @main AND @at >= context_at THEN @context ELSE context_tokens END,
    context_at = CASE WHEN @main THEN max(context_at, @at) ELSE context_at END
  ${thisSession}`;

const metered = `
  UPDATE sessions SET ${addedSums('metered_')},
    metered_model =
      CASE WHEN @main AND @at >= metered_model_at THEN @model ELSE metered_model END,
    metered_model_at = CASE WHEN @main THEN max(metered_model_at, @at) ELSE metered_model_at END
  ${thisSession}`;

const compacted = `
  UPDATE sessions SET compactions = compactions + 1,
    context_tokens = CASE WHEN @at >= context_at THEN @context ELSE context_tokens END,
    context_at = max(context_at, @at)
  ${thisSession}`;

type Counter = 'prompts' | 'tool_calls' | 'errors' | 'retries' | 'subagents';
type SessionEvent = Exclude<RecordedDomainEvent, { type: 'TelemetryUnrecognised' }>;
type Attribution = Pick<DataOf<'SessionStarted'>, 'project' | 'team' | 'taskId' | 'userId'>;

function prepare(db: Database): (event: RecordedDomainEvent) => void {
  const touch = db.prepare(touched);
  const addRequest = db.prepare(requested);
  const addMetered = db.prepare(metered);
  const amountsOf = meteredAmounts(db, 'sessions_metered_series');
  const compact = db.prepare(compacted);
  const counters = new Map(
    (['prompts', 'tool_calls', 'errors', 'retries', 'subagents'] as const).map((column) => [
      column,
      db.prepare(
        `UPDATE sessions SET ${column} = ${column} + CAST(? AS INTEGER)
          WHERE agent = ? AND session_id = ?`,
      ),
    ]),
  );
  const count = (counter: Counter, { agent, sessionId }: SessionEvent['data'], by = 1) =>
    counters.get(counter)?.run(by, agent, sessionId);

  const apply = (event: SessionEvent, at: number) => {
    const { agent, sessionId } = event.data;
    switch (event.type) {
      case 'UsageRecorded': {
        const main = event.data.thread === 'main' ? 1 : 0;
        const { model } = event.data;
        const sums = requestAmounts(event.data);
        const context = sums.input + sums.cacheRead + sums.cacheCreation + sums.output;
        return addRequest.run({ ...sums, agent, sessionId, main, at, model, context });
      }
      case 'UsageMetered': {
        const main = event.data.thread === 'main' ? 1 : 0;
        const { model } = event.data;
        return addMetered.run({ ...amountsOf(event.data), agent, sessionId, main, at, model });
      }
      case 'ContextCompacted':
        if (!event.data.succeeded) return;
        return compact.run({ agent, sessionId, at, context: event.data.postTokens });
      case 'PromptSubmitted':
        return count('prompts', event.data);
      case 'ToolFinished':
        return count('tool_calls', event.data);
      case 'SubagentFinished':
        return count('subagents', event.data);
      case 'RequestFailed':
        return count('errors', event.data);
      case 'RequestRetried':
        // Of a request that failed for good, RetriesExhausted tells the same.
        if (event.data.succeeded) count('retries', event.data, retriesOf(event.data.attempts));
        return;
      case 'RetriesExhausted':
        return count('retries', event.data, retriesOf(event.data.attempts));
      default:
        return;
    }
  };

  return (event) => {
    if (event.type === 'TelemetryUnrecognised' || !('sessionId' in event.data)) return;
    const at = occurredAtMs(event);
    const { agent, sessionId } = event.data;
    const { project, team, taskId, userId } = event.data as Attribution;
    touch.run(agent, sessionId, project, team, taskId, userId, at, at);
    apply(event, at);
  };
}

function retriesOf(attempts: number): number {
  return Math.max(0, attempts - 1);
}

export const sessionsProjection: Projection = {
  name: 'sessions',
  version: 1,
  tables: ['sessions', 'sessions_metered_series'],
  schema,
  prepare,
};

import type { Database } from 'better-sqlite3';

/**
 * One row per task and one per attempt, with the states that `evolve.decider.ts` comes to, and for
 * each task the events that concern it.
 *
 * An attempt is known by its fencing token, which no two attempts share. That of a task is the attempt
 * that runs or that completed it; `reason` is why it is where it is, `halt` (JSON) the order to halt what
 * runs, or what is paused, `conversation` (JSON) what the next attempt carries on. What a state lacks, is null.
 */
export const tasksSchema = `
  CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    fencing_token INTEGER,
    reason TEXT,
    halt TEXT,
    conversation TEXT,
    result_hash TEXT,
    ended_at TEXT,
    submitted_at TEXT NOT NULL,
    started_at TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    late_results TEXT NOT NULL DEFAULT '[]',
    agent TEXT NOT NULL,
    model TEXT,
    lane TEXT NOT NULL,
    shard TEXT NOT NULL,
    size TEXT NOT NULL,
    team TEXT,
    project TEXT,
    tags TEXT NOT NULL,
    directory TEXT,
    repository TEXT,
    ref TEXT,
    permission_mode TEXT,
    allowed_tools TEXT NOT NULL,
    depends_on TEXT NOT NULL,
    idempotency_key TEXT,
    prompt_hash TEXT NOT NULL,
    prompt_characters INTEGER NOT NULL,
    reserve_nano_usd INTEGER NOT NULL,
    max_cost_nano_usd INTEGER,
    timeout_ms INTEGER NOT NULL,
    attempts_max INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX tasks_by_state ON tasks (state);
  CREATE INDEX tasks_by_lane ON tasks (lane);
  CREATE INDEX tasks_by_shard ON tasks (shard);
  CREATE INDEX tasks_by_agent ON tasks (agent);
  CREATE INDEX tasks_by_team ON tasks (team);
  CREATE INDEX tasks_by_project ON tasks (project);
  CREATE INDEX tasks_by_lane_and_state ON tasks (lane, state);

  CREATE TABLE task_tags (
    tag TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (tag, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE task_dependents (
    dependency TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (dependency, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE task_events (
    id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id, version)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE task_attempts (
    fencing_token INTEGER PRIMARY KEY,
    id INTEGER NOT NULL,
    attempt_id TEXT NOT NULL,
    worker_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    model TEXT,
    stolen INTEGER NOT NULL,
    claimed_at TEXT NOT NULL,
    claimed_at_ms INTEGER NOT NULL,
    waited_ms INTEGER NOT NULL,
    started_at TEXT,
    session_id TEXT,
    percent INTEGER,
    ended_at TEXT,
    ended TEXT,
    error TEXT,
    duration_ms INTEGER
  ) STRICT;
  CREATE INDEX task_attempts_by_task ON task_attempts (id);`;

/** Who takes the id of a task that dispatch has forgotten takes its place. */
const insertTask = `
  INSERT OR REPLACE INTO tasks (task_id, state, submitted_at, agent, model, lane, shard, size, team, project,
    tags, directory, repository, ref, permission_mode, allowed_tools, depends_on, idempotency_key, prompt_hash,
    prompt_characters, reserve_nano_usd, max_cost_nano_usd, timeout_ms, attempts_max)
  VALUES (@taskId, 'waiting', @at, @agent, @model, @lane, @shard, @size, @team, @project,
    @tags, @directory, @repository, @ref, @permissionMode, @allowedTools, @dependsOn, @idempotencyKey, @promptHash,
    @promptCharacters, @reserveNanoUsd, @maxCostNanoUsd, @timeoutMs, @attemptsMax)`;

const insertAttempt = `
  INSERT INTO task_attempts (fencing_token, id, attempt_id, worker_id, agent, provider, account,
    model, stolen, claimed_at, claimed_at_ms, waited_ms)
  SELECT @fencingToken, id, @attemptId, @workerId, @agent, @provider, @account,
    @model, @stolen, @at, @atMs, @waitedMs
  FROM tasks WHERE task_id = @taskId`;

/** For how many tasks it waits. */
const countMissing = `
  SELECT count(*) FROM tasks AS task, json_each(task.depends_on) AS wanted
  LEFT JOIN tasks AS other ON other.task_id = wanted.value
  WHERE task.task_id = ? AND other.state IS NOT 'completed'`;

/** Who waits for this task. */
const selectWaiting = `
  SELECT task.task_id FROM task_dependents AS dependent JOIN tasks AS task ON task.id = dependent.id
  WHERE dependency = ? AND state = 'waiting'`;

/** The token of the attempt that runs. */
const selectRunning = `
  SELECT fencing_token FROM tasks WHERE task_id = ? AND state = 'running'`;

/** A conversation is kept while the task is queued, or carries it on. */
const moveTask = `
  UPDATE tasks SET state = @state, fencing_token = @fencingToken, reason = @reason, halt = @halt,
    conversation = CASE WHEN @state IN ('waiting', 'ready', 'running') THEN conversation ELSE @conversation END,
    result_hash = @resultHash, ended_at = @endedAt
  WHERE task_id = @taskId`;

/** What is wrong, or was said, is null where nothing was. */
const endAttempt = `
  UPDATE task_attempts SET ended_at = @at, ended = @ended, error = @error,
    duration_ms = @atMs - claimed_at_ms
  WHERE fencing_token = @fencingToken AND ended IS NULL`;

const reportAttempt = `
  UPDATE task_attempts SET started_at = coalesce(started_at, @at),
    session_id = coalesce(@sessionId, session_id), percent = coalesce(@percent, percent)
  WHERE fencing_token = @fencingToken AND ended IS NULL`;

/** What brought the task's end about is the last event of the other so far: they end in one breath. */
const noteCause = `
  INSERT OR IGNORE INTO task_events
  SELECT task.id, max(event.version) FROM tasks AS task, tasks AS other
  JOIN task_events AS event ON event.id = other.id
  WHERE task.task_id = @taskId AND other.task_id = @becauseOfTaskId GROUP BY task.id`;

export const statementsOn = (db: Database) => ({
  insertTask: db.prepare(insertTask),
  insertTag: db.prepare(
    'INSERT OR IGNORE INTO task_tags SELECT @tag, id FROM tasks WHERE task_id = @taskId',
  ),
  insertDependency: db.prepare(
    'INSERT OR IGNORE INTO task_dependents SELECT @other, id FROM tasks WHERE task_id = @taskId',
  ),
  insertAttempt: db.prepare(insertAttempt),
  countClaim: db.prepare(
    'UPDATE tasks SET attempts = attempts + 1, started_at = coalesce(started_at, @at) WHERE task_id = @taskId',
  ),
  missing: db.prepare<[string], number>(countMissing).pluck(),
  waiting: db.prepare<[string], string>(selectWaiting).pluck(),
  running: db.prepare<[string], number>(selectRunning).pluck(),
  move: db.prepare(moveTask),
  endAttempt: db.prepare(endAttempt),
  report: db.prepare(reportAttempt),
  setHalt: db.prepare('UPDATE tasks SET halt = @halt WHERE task_id = @taskId'),
  forgetConversation: db.prepare('UPDATE tasks SET conversation = NULL WHERE task_id = @taskId'),
  setLane: db.prepare('UPDATE tasks SET lane = @lane WHERE task_id = @taskId'),
  keepLate: db.prepare(
    `UPDATE tasks SET late_results =
       json_insert(late_results, '$[#]', json_object('attemptId', @attemptId, 'resultHash', @resultHash))
     WHERE task_id = @taskId`,
  ),
  late: db
    .prepare<[string, string], string>(
      `SELECT value ->> 'resultHash' FROM tasks, json_each(late_results)
       WHERE task_id = ? AND value ->> 'attemptId' = ?`,
    )
    .pluck(),
  tokenOf: db
    .prepare<[string, string], number>(
      `SELECT max(fencing_token) FROM task_attempts WHERE attempt_id = ?
       AND id = (SELECT id FROM tasks WHERE task_id = ?)`,
    )
    .pluck(),
  note: db.prepare(
    'INSERT OR IGNORE INTO task_events SELECT id, @version FROM tasks WHERE task_id = @taskId',
  ),
  noteCause: db.prepare(noteCause),
});

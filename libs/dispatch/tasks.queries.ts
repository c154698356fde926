import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { Lane, Shard, Size } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import { formatUsd } from '#kernel/money.js';
import { Refusal } from '#kernel/refusal.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import { ReadModels } from '#platform/read-models.js';
import type { AttemptAnswer, TaskAnswer, TaskDetail, TasksQuery } from './task.shapes.js';
import { filtersOf, narrowestOf, tasksMeeting } from './tasks-filter.js';
import { tasksProjection } from './tasks.projection.js';

interface TaskRow {
  readonly id: bigint;
  readonly taskId: string;
  readonly state: TaskAnswer['state'];
  readonly reason: string | null;
  readonly agent: TaskAnswer['agent'];
  readonly model: string | null;
  readonly lane: Lane;
  readonly shard: Shard;
  readonly size: Size;
  readonly team: string | null;
  readonly project: string | null;
  readonly tags: string;
  readonly directory: string | null;
  readonly repository: string | null;
  readonly ref: string | null;
  readonly permissionMode: string | null;
  readonly allowedTools: string;
  readonly dependsOn: string;
  readonly idempotencyKey: string | null;
  readonly promptHash: string;
  readonly promptCharacters: bigint;
  readonly reserveNanoUsd: bigint;
  readonly maxCostNanoUsd: bigint | null;
  readonly halt: string | null;
  readonly conversation: string | null;
  readonly timeoutMs: bigint;
  readonly attemptsMax: bigint;
  readonly attempts: bigint;
  readonly submittedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly attemptId: string | null;
  readonly workerId: string | null;
  readonly sessionId: string | null;
  readonly percent: bigint | null;
  readonly resultHash: string | null;
  readonly lateResults: string;
}

/** `rows` is FROM, WHERE and ORDER BY of the tasks wanted, as `task`. */
const selectTasks = (rows: string) => `
  SELECT task.id, task.task_id AS taskId, task.state, task.reason, task.agent, task.model, task.lane,
    task.shard, task.size, task.team, task.project, task.tags, task.directory, task.repository, task.ref,
    task.permission_mode AS permissionMode, task.allowed_tools AS allowedTools,
    task.depends_on AS dependsOn, task.halt, task.conversation,
    task.idempotency_key AS idempotencyKey, task.prompt_hash AS promptHash,
    task.prompt_characters AS promptCharacters, task.reserve_nano_usd AS reserveNanoUsd,
    task.max_cost_nano_usd AS maxCostNanoUsd,
    task.timeout_ms AS timeoutMs, task.attempts_max AS attemptsMax, task.attempts,
    task.submitted_at AS submittedAt, task.started_at AS startedAt, task.ended_at AS endedAt,
    attempt.attempt_id AS attemptId, attempt.worker_id AS workerId,
    attempt.session_id AS sessionId, attempt.percent,
    task.result_hash AS resultHash, task.late_results AS lateResults
  FROM (SELECT task.* ${rows}) AS task
  LEFT JOIN task_attempts AS attempt ON attempt.fencing_token = task.fencing_token
  ORDER BY task.id DESC`;

const findTask = selectTasks('FROM tasks AS task WHERE task_id = ?');

interface AttemptRow {
  readonly attemptId: string;
  readonly workerId: string;
  readonly agent: AgentName;
  readonly provider: string;
  readonly account: string;
  readonly model: string | null;
  readonly stolen: bigint;
  readonly fencingToken: bigint;
  readonly claimedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly end: AttemptAnswer['end'];
  readonly error: string | null;
  readonly sessionId: string | null;
  readonly percent: bigint | null;
  readonly waitedMs: bigint;
  readonly durationMs: bigint | null;
}

const findAttempts = `
  SELECT attempt_id AS attemptId, worker_id AS workerId, agent, provider, account, model, stolen,
    fencing_token AS fencingToken, claimed_at AS claimedAt, started_at AS startedAt,
    ended_at AS endedAt, ended AS end, error, session_id AS sessionId, percent,
    waited_ms AS waitedMs, duration_ms AS durationMs
  FROM task_attempts WHERE id = ? ORDER BY fencing_token DESC LIMIT ${limits.attemptsShownMax}`;

const findVersions = `
  SELECT event.version, count(*) OVER () AS events
  FROM task_events AS event JOIN tasks AS task ON task.id = event.id
  WHERE task_id = ? ORDER BY event.version DESC LIMIT ${limits.eventsExplainedMax}`;

const findFirstVersion = `
  SELECT min(event.version) AS version
  FROM task_events AS event JOIN tasks AS task ON task.id = event.id WHERE task_id = ?`;

const countTasks = `
  SELECT lane, state, count(*) AS tasks FROM tasks GROUP BY lane, state ORDER BY lane, state`;

export interface TaskCount {
  readonly lane: Lane;
  readonly state: TaskAnswer['state'];
  readonly tasks: number;
}

/** The events that concern a task, as versions of the stream `dispatch`. */
export interface TaskVersions {
  /** The first, and the newest of the others, the oldest first. */
  readonly versions: readonly number[];
  /** How many between them are left out. */
  readonly omitted: number;
}

const cursorParts = z.tuple([z.int().positive()]);

@Injectable()
export class TasksQueries {
  constructor(private readonly models: ReadModels) {}

  /** Tasks that meet every filter, those submitted last first. */
  list(query: TasksQuery): { items: TaskAnswer[]; nextCursor: string | null } {
    const { cursor, limit, ...filter } = query;
    const given = filtersOf(filter);
    const [before] =
      cursor === undefined ? [Number.MAX_SAFE_INTEGER] : decodeCursor(cursor, cursorParts);
    // One more than asked for tells whether there is a next page.
    const bounds = { ...filter, before, limit: limit + 1 };
    const rows = this.models.read(tasksProjection, (prepare) => {
      const wanted = tasksMeeting(given, narrowestOf(given, filter, prepare));
      const sql = selectTasks(`${wanted} LIMIT @limit`);
      return prepare<[typeof bounds], TaskRow>(sql).all(bounds);
    });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const more = rows.length > page.length && last !== undefined;
    return {
      items: page.map(describeTask),
      nextCursor: more ? encodeCursor([Number(last.id)]) : null,
    };
  }

  /** @throws {Refusal} `TASK_NOT_FOUND` */
  show(taskId: string): TaskDetail {
    return this.models.read(tasksProjection, (prepare) => {
      const row = prepare<[string], TaskRow>(findTask).get(taskId);
      if (row === undefined) throw unknownTask(taskId);
      const attempts = prepare<[bigint], AttemptRow>(findAttempts).all(row.id);
      return { ...describeTask(row), attemptList: attempts.reverse().map(describeAttempt) };
    });
  }

  /** @throws {Refusal} `TASK_NOT_FOUND` */
  versionsOf(taskId: string): TaskVersions {
    return this.models.read(tasksProjection, (prepare) => {
      const newest = prepare<[string], { version: bigint; events: bigint }>(findVersions);
      const rows = newest.all(taskId).reverse();
      const first = prepare<[string], { version: bigint | null }>(findFirstVersion).get(taskId);
      const [oldest] = rows;
      if (oldest === undefined || !first?.version) throw unknownTask(taskId);
      const shown = rows.map(({ version }) => Number(version));
      const omitted = Number(oldest.events) - rows.length;
      if (omitted === 0) return { versions: shown, omitted };
      return { versions: [Number(first.version), ...shown.slice(1)], omitted };
    });
  }

  /** How many tasks of each lane are in each state; what there is none of is left out. */
  counts(): TaskCount[] {
    const rows = this.models.read(tasksProjection, (prepare) =>
      prepare<[], Omit<TaskCount, 'tasks'> & { readonly tasks: bigint }>(countTasks).all(),
    );
    return rows.map(({ lane, state, tasks }) => ({ lane, state, tasks: Number(tasks) }));
  }
}

function describeTask(row: TaskRow): TaskAnswer {
  const { taskId, state, reason, agent, model, lane, shard, size, team, project } = row;
  const { directory, repository, ref, permissionMode, idempotencyKey, promptHash } = row;
  const { submittedAt, startedAt, endedAt, attemptId, workerId, sessionId, resultHash } = row;
  return {
    ...{ taskId, state, reason, agent, model, lane, shard, size, team, project },
    ...{ directory, repository, ref, permissionMode, idempotencyKey, promptHash },
    ...{ submittedAt, startedAt, endedAt, attemptId, workerId, sessionId, resultHash },
    halt: parsed(row.halt) as TaskAnswer['halt'],
    conversation: parsed(row.conversation) as TaskAnswer['conversation'],
    allowedTools: JSON.parse(row.allowedTools) as string[],
    maxCostUsd: row.maxCostNanoUsd === null ? null : formatUsd(row.maxCostNanoUsd),
    tags: JSON.parse(row.tags) as string[],
    dependsOn: JSON.parse(row.dependsOn) as string[],
    lateResults: JSON.parse(row.lateResults) as TaskAnswer['lateResults'],
    promptCharacters: Number(row.promptCharacters),
    budgetUsd: row.reserveNanoUsd === 0n ? null : formatUsd(row.reserveNanoUsd),
    timeoutMs: Number(row.timeoutMs),
    retries: Number(row.attemptsMax) - 1,
    attempts: Number(row.attempts),
    percent: row.percent === null ? null : Number(row.percent),
  };
}

/** What the projection wrote. */
function parsed(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}

function describeAttempt(row: AttemptRow): AttemptAnswer {
  const { percent, durationMs } = row;
  return {
    ...row,
    stolen: row.stolen === 1n,
    fencingToken: Number(row.fencingToken),
    percent: percent === null ? null : Number(percent),
    waitedMs: Number(row.waitedMs),
    durationMs: durationMs === null ? null : Number(durationMs),
  };
}

function unknownTask(taskId: string): Refusal {
  const message = `There is no task ${taskId}. List them to see their ids.`;
  return new Refusal('TASK_NOT_FOUND', message, { taskId });
}

import {
  count,
  flag,
  list,
  maybe,
  name,
  number,
  object,
  orNull,
  text,
  type Of,
} from '../checks.js';

/** What the server answers of dispatch, as far as it is read here; what is not read is kept for `--json`. */

const taskFields = {
  taskId: name,
  state: text,
  reason: maybe(text),
  agent: text,
  model: maybe(text),
  lane: text,
  shard: text,
  size: maybe(text),
  team: maybe(text),
  project: maybe(text),
  tags: maybe(list(text)),
  directory: maybe(text),
  repository: maybe(text),
  ref: maybe(text),
  permissionMode: maybe(text),
  allowedTools: maybe(list(text)),
  maxCostUsd: maybe(text),
  halt: maybe(object({ how: text, reason: text, holder: maybe(text) })),
  conversation: maybe(object({ sessionId: text, host: text, attemptId: text })),
  dependsOn: maybe(list(text)),
  idempotencyKey: maybe(text),
  promptCharacters: maybe(count),
  budgetUsd: maybe(text),
  timeoutMs: maybe(count),
  retries: maybe(count),
  attempts: maybe(count),
  submittedAt: maybe(text),
  startedAt: maybe(text),
  endedAt: maybe(text),
  workerId: maybe(text),
  sessionId: maybe(text),
  percent: maybe(count),
  resultHash: maybe(text),
  lateResults: maybe(list(object({ attemptId: text, resultHash: text }))),
};
export const task = object(taskFields);
export type Task = Of<typeof task>;

const attempt = object({
  attemptId: text,
  workerId: text,
  agent: text,
  account: maybe(text),
  model: maybe(text),
  stolen: maybe(flag),
  claimedAt: maybe(text),
  end: maybe(text),
  error: maybe(text),
  sessionId: maybe(text),
  percent: maybe(count),
  waitedMs: maybe(count),
  durationMs: maybe(count),
});
export type Attempt = Of<typeof attempt>;
export const taskDetail = object({ ...taskFields, attemptList: maybe(list(attempt)) });
export type TaskDetail = Of<typeof taskDetail>;

export const why = object({
  taskId: text,
  state: text,
  now: list(text),
  omittedEvents: maybe(count),
  chain: list(
    object({
      version: number,
      at: text,
      type: text,
      what: text,
      by: maybe(text),
      becauseOf: maybe(number),
    }),
  ),
});
export type Why = Of<typeof why>;

export const submitted = object({ taskId: name, created: flag });
const submittedItem = object({ key: maybe(text), taskId: name, created: flag });
export type SubmittedItem = Of<typeof submittedItem>;
export const submittedBatch = object({ items: list(submittedItem) });

const counts = {
  waiting: count,
  ready: count,
  delayed: count,
  running: count,
  paused: maybe(count),
};

const shardFigures = object({
  shard: text,
  arrivalsPerHour: number,
  servedPerHourPerSlot: orNull(number),
  slots: count,
  utilisation: orNull(number),
  expectedWaitMs: orNull(number),
  observedWaitMs: orNull(object({ mean: number, p95: maybe(number), max: number })),
});
export type ShardFigures = Of<typeof shardFigures>;
const closedScope = object({ scope: text, mode: text, reason: text, since: maybe(text) });
export type ClosedScope = Of<typeof closedScope>;
const coolDown = object({
  provider: text,
  account: text,
  model: maybe(text),
  level: maybe(count),
  until: text,
  state: text,
});
export type CoolDown = Of<typeof coolDown>;
const wipLimit = object({ scope: text, limit: count, running: count });
export type WipLimit = Of<typeof wipLimit>;

export const queue = object({
  ...counts,
  open: count,
  parked: count,
  windowMs: maybe(count),
  shards: list(shardFigures),
  closed: list(closedScope),
  coolingDown: list(coolDown),
  wipLimits: list(wipLimit),
});
export type Queue = Of<typeof queue>;

const lane = object({ lane: text, ...counts, headStartMs: count, oldestWaitMs: orNull(number) });
export type LaneFigures = Of<typeof lane>;
export const lanes = object({ items: list(lane) });

export const gateChanged = object({ changed: flag });

export const worker = object({
  workerId: name,
  host: maybe(text),
  shards: list(text),
  seats: list(object({ agent: text, account: maybe(text), models: maybe(list(text)) })),
  slots: count,
  agents: maybe(list(object({ name: text, version: maybe(text) }))),
  containment: maybe(text),
  running: count,
  attempts: maybe(list(object({ attemptId: text, taskId: text }))),
});
export type Worker = Of<typeof worker>;

const outputPiece = object({ index: count, at: maybe(text), kind: text, text });
export type OutputPiece = Of<typeof outputPiece>;
export const outputPage = object({
  attemptId: maybe(text),
  hasEnded: flag,
  items: list(outputPiece),
  next: count,
});
export const taskResult = object({ taskId: name, state: text, result: maybe(text) });

/** Where a task is asked for. */
export function taskPath(taskId: string, move?: string): string {
  const path = `/api/v1/tasks/${encodeURIComponent(taskId)}`;
  return move === undefined ? path : `${path}/${move}`;
}

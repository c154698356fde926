import {
  count,
  either,
  flag,
  list,
  maybe,
  name,
  number,
  object,
  orNull,
  record,
  text,
  type Check,
  type Of,
} from './checks.js';

/**
 * What the server answers, as far as it is read here. What is not read is kept, so that `--json`
 * prints the server's whole answer; what a server of another version leaves out is shown as unknown.
 */

const tokens = object({
  input: count,
  output: count,
  cacheRead: count,
  cacheCreation: count,
  reasoning: maybe(count),
});
export type Tokens = Of<typeof tokens>;

/** Requests whose cost both the agent and the price book tell. */
const priceCheck = object({
  requests: count,
  reportedUsd: text,
  computedUsd: text,
  differenceUsd: text,
});
const cost = {
  costUsd: orNull(text),
  computedCostUsd: maybe(text),
  priceCheck: maybe(priceCheck),
  unpricedRequests: count,
};

export const session = object({
  sessionId: name,
  agent: text,
  model: maybe(text),
  state: text,
  tokens,
  ...cost,
  contextTokens: maybe(count),
  contextWindow: maybe(count),
  contextFill: maybe(number),
  startedAt: maybe(text),
  lastActivityAt: maybe(text),
  taskId: maybe(text),
  project: maybe(text),
  requests: maybe(count),
  errors: maybe(count),
  usageSource: maybe(text),
});
export type Session = Of<typeof session>;

export const event = object({
  id: text,
  stream: text,
  version: number,
  position: text,
  type: text,
  data: record,
  metadata: object({ actor: text, source: text, occurredAt: text, recordedAt: text }),
});
export type LogEvent = Of<typeof event>;

const sums = { requests: count, tokens, ...cost };
const usageSums = object(sums);
export type UsageSums = Of<typeof usageSums>;
const usageRow = object({
  key: text,
  label: maybe(text),
  endsAt: maybe(text),
  agent: maybe(text),
  ...sums,
  parts: maybe(list(object({ key: text, ...sums }))),
});
export type UsageRow = Of<typeof usageRow>;

export const usage = object({
  items: list(usageRow),
  total: usageSums,
  nextCursor: maybe(text),
});
export type Usage = Of<typeof usage>;

const comparedModel = object({
  provider: text,
  model: text,
  ...sums,
  costPerRequestUsd: orNull(text),
  costPer1kOutputTokensUsd: orNull(text),
  latencyMs: orNull(object({ p50: number, p95: number })),
  failedRequests: count,
  errorRate: orNull(number),
});
export type ComparedModel = Of<typeof comparedModel>;
export const comparedModels = object({ items: list(comparedModel) });

const positionText = either(text, number);
export const status = object({
  version: text,
  node: maybe(text),
  sqlite: maybe(text),
  startedAt: maybe(text),
  uptimeSeconds: maybe(number),
  home: maybe(text),
  roles: maybe(list(text)),
  ports: maybe(object({ http: maybe(number), otlpHttp: maybe(number), otlpGrpc: maybe(number) })),
  /** `head` is the position of the newest event. */
  log: maybe(object({ head: maybe(positionText) })),
  projections: maybe(
    list(
      object({
        name: text,
        version: maybe(number),
        position: maybe(positionText),
        lagMs: maybe(number),
      }),
    ),
  ),
  sessions: maybe(object({ active: maybe(count), idle: maybe(count) })),
  today: maybe(object({ costUsd: maybe(text), tokens: maybe(either(count, tokens)) })),
});
export type Status = Of<typeof status>;

export const readiness = object({
  checks: list(object({ name: text, ok: flag, detail: maybe(text) })),
});

export const problem = object({ title: maybe(text), code: maybe(text), detail: maybe(text) });

export function pageOf<Item>(item: Check<Item>) {
  return object({ items: list(item), nextCursor: orNull(text) });
}

/** All tokens, each counted once: reasoning is a part of output. */
export function sumOfTokens(of: Tokens): number {
  return of.input + of.output + of.cacheRead + of.cacheCreation;
}

import { z } from 'zod';

/**
 * What the server answers, as far as it is read here. What is not read is kept, so that `--json`
 * prints the server's whole answer; what a server of another version leaves out is shown as unknown.
 */

const count = z.number().nonnegative();
const tokens = z.looseObject({
  input: count,
  output: count,
  cacheRead: count,
  cacheCreation: count,
  reasoning: count.nullish(),
});
export type Tokens = z.infer<typeof tokens>;

export const session = z.looseObject({
  sessionId: z.string().min(1),
  agent: z.string(),
  model: z.string().nullish(),
  state: z.string(),
  tokens,
  costUsd: z.string().nullable(),
  unpricedRequests: count,
  contextTokens: count.nullish(),
  contextWindow: count.nullish(),
  contextFill: z.number().nullish(),
  startedAt: z.string().nullish(),
  lastActivityAt: z.string().nullish(),
  taskId: z.string().nullish(),
  project: z.string().nullish(),
  requests: count.nullish(),
  errors: count.nullish(),
  usageSource: z.string().nullish(),
});
export type Session = z.infer<typeof session>;

export const event = z.looseObject({
  id: z.string(),
  stream: z.string(),
  version: z.number(),
  position: z.string(),
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
  metadata: z.looseObject({
    actor: z.string(),
    source: z.string(),
    occurredAt: z.string(),
    recordedAt: z.string(),
  }),
});
export type LogEvent = z.infer<typeof event>;

const usageSum = z.looseObject({
  requests: count,
  tokens,
  costUsd: z.string().nullable(),
  unpricedRequests: count,
});
const usageRow = usageSum.extend({ key: z.string() });
export type UsageRow = z.infer<typeof usageRow>;

export const usage = z.looseObject({ items: z.array(usageRow), total: usageSum });

export const status = z.looseObject({
  version: z.string(),
  node: z.string().nullish(),
  sqlite: z.string().nullish(),
  startedAt: z.string().nullish(),
  uptimeSeconds: z.number().nullish(),
  home: z.string().nullish(),
  roles: z.array(z.string()).nullish(),
  ports: z
    .looseObject({
      http: z.number().nullish(),
      otlpHttp: z.number().nullish(),
      otlpGrpc: z.number().nullish(),
    })
    .nullish(),
  /** `head` is the position of the newest event. */
  log: z.looseObject({ head: z.union([z.string(), z.number()]).nullish() }).nullish(),
  projections: z
    .array(
      z.looseObject({
        name: z.string(),
        version: z.number().nullish(),
        position: z.union([z.string(), z.number()]).nullish(),
        lagMs: z.number().nullish(),
      }),
    )
    .nullish(),
  sessions: z.looseObject({ active: count.nullish(), idle: count.nullish() }).nullish(),
  today: z
    .looseObject({ costUsd: z.string().nullish(), tokens: z.union([count, tokens]).nullish() })
    .nullish(),
});
export type Status = z.infer<typeof status>;

const rate = z.string().nullish();
export const price = z.looseObject({
  provider: z.string(),
  model: z.string(),
  tier: z.string(),
  promptTokensAbove: count,
  validFrom: z.string(),
  validUntil: z.string().nullish(),
  usdPerMillionTokens: z.looseObject({
    input: rate,
    output: rate,
    cacheRead: rate,
    cacheCreation: rate,
    cacheCreation1h: rate,
  }),
  origin: z.string(),
  superseded: z.boolean().nullish(),
});
export type Price = z.infer<typeof price>;

export const publication = z.looseObject({
  priceVersion: z.string().nullable(),
  accepted: count,
  refused: z.array(
    z.looseObject({ index: count, reason: z.string(), overlaps: z.array(count).default([]) }),
  ),
  warnings: z.array(z.string()).default([]),
});
export type Publication = z.infer<typeof publication>;

export const missingPrice = z.looseObject({
  agent: z.string(),
  provider: z.string(),
  model: z.string(),
  tier: z.string(),
  lastSeenAt: z.string().nullish(),
  resolved: z.boolean(),
});
export type MissingPrice = z.infer<typeof missingPrice>;

export const readiness = z.looseObject({
  checks: z.array(
    z.looseObject({ name: z.string(), ok: z.boolean(), detail: z.string().nullish() }),
  ),
});

export const problem = z.looseObject({
  title: z.string().nullish(),
  code: z.string().nullish(),
  detail: z.string().nullish(),
});

export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.looseObject({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** All tokens, each counted once: reasoning is a part of output. */
export function sumOfTokens(of: Tokens): number {
  return of.input + of.output + of.cacheRead + of.cacheCreation;
}

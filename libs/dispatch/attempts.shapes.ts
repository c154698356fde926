import { z } from 'zod';
import { haltWay, lane, shard, size } from '#eventstore/vocabulary/dispatch.events.js';
import { agentName } from '#eventstore/vocabulary/shapes.events.js';
import { limits } from '#kernel/limits.js';
import { moment, text, time } from '#platform/api-shapes.js';

/** What workers ask and are answered. */

export const claimBody = z.strictObject({
  workerId: text,
  waitMs: z
    .int()
    .min(0)
    .max(limits.claimWaitMsMax)
    .default(0)
    .describe('How long to wait for a task when there is none.'),
  attemptId: text
    .optional()
    .describe('Chosen by the worker, so that a claim whose answer was lost can be repeated.'),
});
export type ClaimBody = z.infer<typeof claimBody>;

const usd = z.string().nullable();

/** What a worker that is cut off holds its agents to by itself. */
const allowanceShape = z.strictObject({
  remainingUsd: usd.describe('The least that a budget leaves; null: none limits it.'),
  usdPerMinute: usd.describe('The least pace that a budget allows; null: none limits it.'),
});

const rate = z.int().nonnegative().nullable();
const publicationShape = z.strictObject({
  priceVersion: z.string(),
  order: z.int(),
  origin: z.enum(['shipped', 'operator']),
  prices: z
    .array(
      z.strictObject({
        provider: z.string(),
        model: z.string(),
        tier: z.string(),
        promptTokensAbove: z.int(),
        validFrom: moment,
        validUntil: moment.nullable(),
        nanoUsdPerMillionTokens: z.strictObject({
          input: rate,
          output: rate,
          cacheRead: rate,
          cacheCreation: rate,
          cacheCreation1h: rate,
        }),
      }),
    )
    .readonly(),
});

export const claimShape = z.strictObject({
  taskId: z.string(),
  attemptId: z.string(),
  fencingToken: z.int().describe('Shown with every move of the attempt.'),
  leaseUntil: moment.describe('The attempt is lost when no beat comes before.'),
  beatEveryMs: z.int(),
  resume: z
    .strictObject({
      sessionId: z.string(),
      attemptId: z.string().describe('In whose work place it began.'),
    })
    .nullable()
    .describe('The conversation to carry on, instead of beginning with the prompt.'),
  allowance: allowanceShape
    .nullable()
    .describe('What it may spend while the server is not heard; null: not known now.'),
  prices: z
    .array(publicationShape)
    .readonly()
    .describe("Of its provider's models, so that its worker can tell what it spends."),
  task: z.strictObject({
    prompt: z.string(),
    agent: agentName,
    provider: z.string(),
    account: z.string(),
    model: z.string().nullable(),
    shard,
    lane,
    size,
    directory: z.string().nullable(),
    repository: z.string().nullable(),
    ref: z.string().nullable(),
    team: z.string().nullable(),
    project: z.string().nullable(),
    tags: z.array(z.string()),
    permissionMode: z.string().nullable(),
    allowedTools: z.array(z.string()),
    maxCostUsd: z.string().nullable().describe('What the task may cost in all.'),
    timeoutMs: z.int(),
    progressMs: z.int().describe('How long the agent may show no progress.'),
    attempt: z.int().describe('1 for the first attempt that counts.'),
  }),
});
const haltShape = z.strictObject({ how: haltWay, reason: z.string() });

export type ClaimAnswer = z.infer<typeof claimShape>;
export type AllowanceAnswer = z.infer<typeof allowanceShape>;

const fencingToken = z.int().positive();
/** The worker's clock: one that runs ahead is told so, and moves nothing. */
const at = time.optional().describe("By the worker's clock; refused when it lies ahead.");
const sessionId = text
  .optional()
  .describe('Of the agent, so that its telemetry counts as progress.');
const note = z.string().max(limits.noteCharactersMax);

const next = {
  claimNext: z.boolean().default(false).describe('Claim another task in the same request.'),
  nextAttemptId: text.optional(),
};

export const moveBodies = {
  start: z.strictObject({ fencingToken, sessionId, at }),
  beat: z.strictObject({ fencingToken, at }),
  progress: z.strictObject({
    fencingToken,
    sessionId,
    percent: z.int().min(0).max(100).optional(),
    at,
  }),
  complete: z.strictObject({
    fencingToken,
    result: z.string().max(limits.promptCharactersMax).optional().describe('What it came to.'),
    ...next,
  }),
  fail: z.strictObject({
    fencingToken,
    error: note.default(''),
    retryable: z.boolean().default(true).describe('False: straight to the dead letters.'),
    statusCode: z
      .int()
      .min(100)
      .max(599)
      .optional()
      .describe(
        "The provider's: 429 and 529 close it for a while, other 5xx count for its breaker.",
      ),
    retryAfterMs: z
      .int()
      .min(0)
      .max(limits.coolDownMsMax)
      .optional()
      .describe('How long the provider wants to be left alone.'),
    ...next,
  }),
  release: z.strictObject({ fencingToken, reason: note.default('') }),
  halted: z.strictObject({
    fencingToken,
    sessionId: text.nullable().describe('Of the agent, where it is known.'),
    ended: z.int().nonnegative().describe('How many processes have ended.'),
    survivors: z
      .array(
        z.strictObject({
          pid: z.int().positive(),
          name: z.string().max(limits.freeTextCharactersMax),
        }),
      )
      .max(limits.survivorsToldMax)
      .describe('Processes that were told to end and run all the same.'),
    cutOff: z
      .strictObject({
        reason: note,
        goesOn: z.boolean().describe('Only the silence ended it: it goes on by itself.'),
      })
      .optional()
      .describe('Why its worker ended it without an order, while it heard of no server.'),
  }),
} as const;
export type MoveName = keyof typeof moveBodies;
export type MoveBody = { [M in MoveName]: { move: M } & z.infer<(typeof moveBodies)[M]> }[MoveName];

export const movedShape = z.strictObject({
  attemptId: z.string(),
  taskId: z.string(),
  leaseUntil: moment.nullable().describe('Null: the attempt has ended.'),
  halt: haltShape.nullable().describe('The attempt is to be halted.'),
  allowance: allowanceShape
    .nullable()
    .describe('As in the claim, by now. Null: not known, and what was told last still counts.'),
  next: claimShape.nullable().describe('What was claimed in the same request.'),
});
export type Moved = z.infer<typeof movedShape>;

export const attemptParams = z.strictObject({ attemptId: text });

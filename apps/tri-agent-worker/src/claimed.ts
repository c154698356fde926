import { z } from 'zod';

/** What the server answers, as far as a worker needs it. */

const text = z.string();
const optional = text.nullable();

export const claimed = z.object({
  taskId: text,
  attemptId: text,
  fencingToken: z.int(),
  beatEveryMs: z.int().positive(),
  resume: z.object({ sessionId: text, attemptId: text }).nullable(),
  task: z.object({
    prompt: text,
    agent: z.enum(['claude-code', 'codex', 'gemini']),
    model: optional,
    directory: optional,
    repository: optional,
    ref: optional,
    team: optional,
    project: optional,
    permissionMode: optional,
    allowedTools: z.array(text),
    maxCostUsd: z
      .string()
      .regex(/^\d{1,10}\.\d{9}$/)
      .nullable(),
    attempt: z.int(),
  }),
});
export type Claimed = z.infer<typeof claimed>;

export const registered = z.object({
  workerId: text,
  token: text,
  beatEveryMs: z.int().positive(),
});
export const moved = z.object({ next: claimed.nullable() });

const haltOrder = z.object({ how: z.enum(['pause', 'kill']), reason: text });
export type HaltOrder = z.infer<typeof haltOrder>;
export const answered = z.object({ halt: haltOrder.nullable() });

/** What a work place may be kept for. */
export const taskShown = z.object({
  conversation: z.object({ attemptId: text }).nullable(),
});

export const outputTaken = z.object({ hasRoom: z.boolean() });

export const holds = z.object({
  attemptIds: z.array(text),
  halts: z.array(haltOrder.extend({ attemptId: text })),
});
export const halt = z.object({ attemptId: text, reason: text });
export const stop = z.object({ attemptId: text, reason: text });
export const leave = z.object({ reason: text });

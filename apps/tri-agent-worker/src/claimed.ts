import { z } from 'zod';

/** What the server answers, as far as a worker needs it. */

const text = z.string();
const optional = text.nullable();

export const claimed = z.object({
  taskId: text,
  attemptId: text,
  fencingToken: z.int(),
  beatEveryMs: z.int().positive(),
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

export const outputTaken = z.object({ hasRoom: z.boolean() });

export const holds = z.object({ attemptIds: z.array(text) });
export const stop = z.object({ attemptId: text, reason: text });
export const leave = z.object({ reason: text });

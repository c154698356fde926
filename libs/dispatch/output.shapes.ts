import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { moment, text } from '#platform/api-shapes.js';

/** What agents print, as workers tell it and people read it. */

const kind = z.enum(['text', 'progress', 'diff']);

export const outputBody = z.strictObject({
  fencingToken: z.int().positive(),
  pieces: z
    .array(
      z.strictObject({
        index: z.int().nonnegative().describe('Counts the pieces of the attempt, from 0.'),
        kind,
        text: z.string().max(limits.outputPieceCharactersMax),
      }),
    )
    .min(1)
    .max(limits.outputPiecesMax),
});
export type OutputBody = z.infer<typeof outputBody>;

export const outputTakenShape = z.strictObject({
  hasRoom: z.boolean().describe('False: more of this attempt is not kept.'),
});

export const outputQuery = z.strictObject({
  attemptId: text.optional().describe('The newest attempt when not given.'),
  from: z.coerce.number().int().nonnegative().default(0).describe('An index.'),
  limit: z.coerce.number().int().min(1).max(limits.outputPiecesMax).default(limits.outputPiecesMax),
});
export type OutputQuery = z.infer<typeof outputQuery>;

export const outputShape = z.strictObject({
  taskId: z.string(),
  attemptId: z.string().nullable().describe('Null: it was never claimed.'),
  hasEnded: z
    .boolean()
    .describe('The attempt has ended: when nothing more is here, nothing comes.'),
  items: z.array(z.strictObject({ index: z.int(), at: moment, kind, text: z.string() })),
  next: z.int().describe('From where to read on.'),
});
export type OutputAnswer = z.infer<typeof outputShape>;

export const resultShape = z.strictObject({
  taskId: z.string(),
  state: z.string(),
  result: z.string().nullable().describe('What it came to; null: nothing, not yet, or erased.'),
});

import type { z } from 'zod';
import { Refusal } from '#kernel/refusal.js';

/** Where a page ends, as opaque text for the client to hand back. */
export function encodeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws {Refusal} `BAD_CURSOR` when it is not one that this list gave out. */
export function decodeCursor<Parts extends z.ZodType>(cursor: string, parts: Parts) {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    decoded = undefined;
  }
  const result = parts.safeParse(decoded);
  if (result.success) return result.data;
  throw new Refusal(
    'BAD_CURSOR',
    'This cursor is not one that this list gave out. Start again without a cursor.',
  );
}

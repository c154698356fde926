import type { Attributes } from './otlp.records.js';
import type { Draft, Translation } from './translation.js';

/** What the tests of all translators share. */

export const receivedAt = '2026-11-20T18:00:00.000Z';
export const start = BigInt(Date.parse('2026-11-20T17:58:00.000Z')) * 1_000_000n;
export const time = BigInt(Date.parse('2026-11-20T17:59:00.123Z')) * 1_000_000n;

export function attributesOf(values: object): Attributes {
  return Object.assign(Object.create(null) as object, values) as Attributes;
}

/** The one event that an export became. */
export function only({ drafts }: Translation): Draft {
  const [draft, ...others] = drafts;
  if (draft === undefined || others.length > 0) {
    throw new Error(`One event was expected, there are ${drafts.length}.`);
  }
  return draft;
}

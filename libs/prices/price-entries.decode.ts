import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import { nanoUsdFromDecimal } from '#kernel/money.js';
import type { Price } from '#kernel/price-shapes.js';
import { STANDARD_TIER } from '#kernel/prices.js';

/**
 * From what somebody wrote down as prices to prices: each entry by itself, so that one that is wrong
 * does not keep the others out.
 */

const SINCE_EVER = '1970-01-01T00:00:00.000Z';

const name = z
  .string('must be text')
  .min(1, 'must not be empty')
  .max(
    limits.identifierCharactersMax,
    `must have at most ${limits.identifierCharactersMax} characters`,
  )
  .regex(/^[^\p{C}\p{Z}]+$/u, 'must not have spaces or control characters');
const model = name.regex(/^[^*]*\*?$/, 'may have a * only at its end');
const time = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-11-20T10:00:00Z' })
  .transform((text) => new Date(text).toISOString());
const count = z
  .int('must be a whole number')
  .min(0, 'must not be negative')
  .max(limits.promptTokensAboveMax, `must be at most ${limits.promptTokensAboveMax}`);

const dearest = limits.priceNanoUsdPerMillionTokensMax / 1e9;
const dollars = z.string('must be a decimal text such as "3.75"').transform((text, context) => {
  const nanoUsd = nanoUsdFromDecimal(text);
  if (nanoUsd !== undefined && nanoUsd <= limits.priceNanoUsdPerMillionTokensMax) return nanoUsd;
  const message = `must be US dollars from 0 to ${dearest}, with at most nine digits after the point`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});
const unlessUnknown = dollars.nullable().default(null);

/** One price as people write it: dollars per million tokens as decimal text. */
export const priceEntry = z
  .strictObject({
    provider: name,
    model: model.describe('With a * at its end: all names that begin so.'),
    tier: name.default(STANDARD_TIER),
    promptTokensAbove: count
      .default(0)
      .describe('Counts for requests whose prompt, cached tokens included, has more tokens.'),
    validFrom: time.default(SINCE_EVER),
    validUntil: time.nullable().default(null),
    usdPerMillionTokens: z
      .strictObject({
        input: dollars,
        output: dollars,
        cacheRead: unlessUnknown,
        cacheCreation: unlessUnknown,
        cacheCreation1h: unlessUnknown,
      })
      .describe('Null: not known; a request that used such tokens has no price.'),
  })
  .refine(({ validFrom, validUntil }) => validUntil === null || validFrom < validUntil, {
    path: ['validUntil'],
    error: 'must be later than validFrom',
  });

/** An entry that cannot be published, by its index from 0. */
interface RefusedEntry {
  readonly index: number;
  readonly reason: string;
  /** The indexes of the first entries that it overlaps. */
  readonly overlaps: readonly number[];
}

export interface ReadEntries {
  readonly prices: readonly Price[];
  readonly refused: readonly RefusedEntry[];
  /** Whole sentences about what goes in and may not be what was meant. */
  readonly warnings: readonly string[];
}

interface Numbered {
  readonly index: number;
  readonly price: Price;
}

/** The sound entries, and why the others are not. Of entries that overlap, none is sound. */
export function readEntries(entries: readonly unknown[]): ReadEntries {
  const numbered: Numbered[] = [];
  const refused: RefusedEntry[] = [];
  for (const [index, entry] of entries.entries()) {
    const read = readEntry(entry);
    if (typeof read === 'string') refused.push({ index, reason: read, overlaps: [] });
    else numbered.push({ index, price: read });
  }
  const warnings: string[] = [];
  const sound: Numbered[] = [];
  for (const periods of byKey(numbered).values()) {
    const fine = periods.filter((one) => {
      const overlaps = periods
        .filter((other) => other !== one && overlap(one.price, other.price))
        .map(({ index }) => index);
      if (overlaps.length === 0) return true;
      const named = overlaps.slice(0, limits.overlapsNamedMax);
      refused.push({ index: one.index, reason: overlapping, overlaps: named });
      return false;
    });
    sound.push(...fine);
    warnings.push(...gapsBetween(fine.map(({ price }) => price)));
  }
  return {
    prices: sound.sort((a, b) => a.index - b.index).map(({ price }) => price),
    refused: refused.sort((a, b) => a.index - b.index),
    warnings,
  };
}

const overlapping =
  'it overlaps another price of the same model, tier and prompt size: only one can count at a time';

function readEntry(entry: unknown): Price | string {
  const { error, data } = priceEntry.safeParse(entry);
  if (error !== undefined) {
    const [issue] = error.issues;
    const path = issue?.path.join('.') ?? '';
    const missing = issue?.code === 'invalid_type' && valueAt(entry, issue.path) === undefined;
    const reason = missing ? 'is missing' : (issue?.message ?? 'is wrong');
    return path === '' ? reason : `${path} ${reason}`;
  }
  const { usdPerMillionTokens, ...rest } = data;
  return { ...rest, nanoUsdPerMillionTokens: usdPerMillionTokens };
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}

/** What may have one price at a time. */
export function keyOf({ provider, model: of, tier, promptTokensAbove }: Price): string {
  return JSON.stringify([provider, of, tier, promptTokensAbove]);
}

function byKey(numbered: readonly Numbered[]): Map<string, Numbered[]> {
  const groups = new Map<string, Numbered[]>();
  for (const one of numbered) {
    const key = keyOf(one.price);
    const others = groups.get(key);
    if (others === undefined) groups.set(key, [one]);
    else others.push(one);
  }
  return groups;
}

/** Times are written alike here, so they compare as text. */
export function overlap(a: Price, b: Price): boolean {
  return startsBeforeEndOf(a, b) && startsBeforeEndOf(b, a);
}

function startsBeforeEndOf(a: Price, b: Price): boolean {
  return b.validUntil === null || a.validFrom < b.validUntil;
}

function gapsBetween(prices: readonly Price[]): string[] {
  const inOrder = prices.toSorted((a, b) => (a.validFrom < b.validFrom ? -1 : 1));
  return inOrder.slice(1).flatMap(({ model: of, validFrom }, index) => {
    const until = inOrder[index]?.validUntil;
    return typeof until === 'string' && until < validFrom
      ? [`${of} has no price from ${until} to ${validFrom}.`]
      : [];
  });
}

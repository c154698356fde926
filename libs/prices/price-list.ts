import { z } from 'zod';
import { formatUsd } from '#kernel/money.js';
import type { Price } from '#kernel/price-shapes.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import type { Publication, Publications } from './prices.decider.js';
import type { PriceItem, PricesQuery } from './prices.shapes.js';

interface Listed {
  readonly price: Price;
  readonly publication: Publication;
}

/** How many publications the list was made of, and how many of its items were shown. */
const cursorParts = z.tuple([z.int().nonnegative(), z.int().nonnegative()]);

/**
 * The prices by provider, model, tier, prompt size and time. A cursor goes on in the list as it was,
 * whatever was published since.
 */
export function listPrices(publications: Publications, query: PricesQuery) {
  const { model, provider, all, limit, cursor } = query;
  const [count, start] =
    cursor === undefined ? [publications.length, 0] : decodeCursor(cursor, cursorParts);
  const groups = groupsOf(publications.slice(0, count), model, provider);
  const items = groups.flatMap((group) =>
    group
      .map((one) => ({ one, superseded: group.some((other) => supersedes(other, one)) }))
      .filter(({ superseded }) => all || !superseded),
  );
  const inOrder = items.sort((a, b) => byPlace(a.one, b.one));
  const end = start + limit;
  return {
    items: inOrder.slice(start, end).map(({ one, superseded }) => describe(one, superseded)),
    nextCursor: end < items.length ? encodeCursor([count, end]) : null,
  };
}

/** Only prices of one provider, model and tier can supersede each other. */
function groupsOf(publications: Publications, model = '', provider?: string): Listed[][] {
  const groups = new Map<string, Listed[]>();
  for (const publication of publications) {
    for (const price of publication.prices) {
      if (!price.model.includes(model)) continue;
      if (provider !== undefined && price.provider !== provider) continue;
      const key = JSON.stringify([price.provider, price.model, price.tier]);
      const others = groups.get(key);
      if (others === undefined) groups.set(key, [{ price, publication }]);
      else others.push({ price, publication });
    }
  }
  return [...groups.values()];
}

/** Whether the one counts wherever the other would; in the order of libs/kernel/prices.ts. */
function supersedes(one: Listed, other: Listed): boolean {
  const [a, b] = [one.publication, other.publication];
  const outranks = a.origin === b.origin ? a.order > b.order : a.origin === 'operator';
  return outranks && covers(one.price, other.price);
}

function covers(one: Price, other: Price): boolean {
  return (
    one.promptTokensAbove <= other.promptTokensAbove &&
    one.validFrom <= other.validFrom &&
    (one.validUntil === null || (other.validUntil !== null && other.validUntil <= one.validUntil))
  );
}

function byPlace(a: Listed, b: Listed): number {
  return (
    compare(a.price.provider, b.price.provider) ||
    compare(a.price.model, b.price.model) ||
    compare(a.price.tier, b.price.tier) ||
    a.price.promptTokensAbove - b.price.promptTokensAbove ||
    compare(a.price.validFrom, b.price.validFrom) ||
    b.publication.order - a.publication.order
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function describe({ price, publication }: Listed, superseded: boolean): PriceItem {
  const { nanoUsdPerMillionTokens: nanoUsd, ...rest } = price;
  const usd = (nano: number | null) => (nano === null ? null : formatUsd(BigInt(nano)));
  const { origin, priceVersion, source } = publication;
  return {
    ...rest,
    usdPerMillionTokens: {
      input: usd(nanoUsd.input),
      output: usd(nanoUsd.output),
      cacheRead: usd(nanoUsd.cacheRead),
      cacheCreation: usd(nanoUsd.cacheCreation),
      cacheCreation1h: usd(nanoUsd.cacheCreation1h),
    },
    origin,
    priceVersion,
    source,
    superseded,
  };
}

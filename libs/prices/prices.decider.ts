import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { Decider } from '#kernel/decider.js';
import type { Fact } from '#kernel/event.js';
import type { Price, PublishedPrices } from '#kernel/price-shapes.js';
import { keyOf, overlap, readEntries } from './price-entries.decode.js';

export interface PublishEntries {
  readonly priceVersion: string;
  readonly origin: 'shipped' | 'operator';
  /** Where the figures were taken from. */
  readonly source: string;
  /** Prices as `priceEntry` has them. What is not sound stays out; see `readEntries`. */
  readonly entries: readonly unknown[];
}

export type PricesPublished = Fact<'PricesPublished', DataOf<'PricesPublished'>>;

export interface Publication extends PublishedPrices {
  /** Where the figures were taken from. */
  readonly source: string;
}

/** In the order in which they were published. */
export type Publications = readonly Publication[];

/** What may be published. What counts already is not published again. */
export const pricesDecider: Decider<PublishEntries, Publications, PricesPublished> = {
  initial: [],

  decide({ entries, ...publication }, publications) {
    const { prices } = readEntries(entries);
    const { origin } = publication;
    const before = publications.filter((it) => it.origin === origin);
    if (prices.length === 0 || prices.every((price) => countsAlready(price, before))) return [];
    if (origin === 'shipped' && before.some((it) => it.priceVersion >= publication.priceVersion)) {
      // An older program was started on a newer log.
      return [];
    }
    return [{ type: 'PricesPublished', data: { ...publication, prices: prices.map(asData) } }];
  },

  evolve(publications, { data }) {
    return [...publications, { ...data, order: publications.length + 1 }];
  },
};

/** Whether it stands in one of these publications, and no later one has taken its place. */
function countsAlready(price: Price, publications: Publications): boolean {
  const asText = textOf(price);
  const index = publications.findLastIndex(({ prices }) =>
    prices.some((it) => textOf(it) === asText),
  );
  if (index < 0) return false;
  const later = publications.slice(index + 1).flatMap(({ prices }) => prices);
  return !later.some((it) => isOfSame(it, price) && overlap(it, price));
}

/**
 * What these prices put out of force that may not have been meant: prices for larger prompts that
 * were published before, and are not published again with them.
 */
export function outOfForce(prices: readonly Price[], publications: Publications): string[] {
  const restated = new Set(prices.map(keyOf));
  const before = publications.flatMap((it) => (it.origin === 'operator' ? it.prices : []));
  const larger = before.filter(
    (old) =>
      !restated.has(keyOf(old)) &&
      prices.some(
        (it) =>
          isOfSame(it, old) && it.promptTokensAbove < old.promptTokensAbove && overlap(it, old),
      ),
  );
  const sentences = larger.map(
    ({ model, promptTokensAbove }) =>
      `The price of ${model} above ${promptTokensAbove} prompt tokens no longer counts: ` +
      'what was published now holds for those prompts, too. Publish it again to keep it.',
  );
  return [...new Set(sentences)];
}

function isOfSame(a: Price, b: Price): boolean {
  return a.provider === b.provider && a.model === b.model && a.tier === b.tier;
}

function textOf(price: Price): string {
  const { input, output, cacheRead, cacheCreation, cacheCreation1h } =
    price.nanoUsdPerMillionTokens;
  const { validFrom, validUntil } = price;
  const rates = [input, output, cacheRead, cacheCreation, cacheCreation1h];
  return JSON.stringify([keyOf(price), validFrom, validUntil, ...rates]);
}

function asData(price: Price): DataOf<'PricesPublished'>['prices'][number] {
  return { ...price, nanoUsdPerMillionTokens: { ...price.nanoUsdPerMillionTokens } };
}

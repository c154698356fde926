import { dividedHalfToEven } from './money.js';
import type { TokenKind, Price, PublishedPrices, UsageToPrice } from './price-shapes.js';

/**
 * What a model request costs by the price book. Prices are whole nano-dollars per million tokens, so
 * that a cost is exact until it is rounded, once, half to even.
 */

const TOKENS_PER_PRICE = 1_000_000n;
const STANDARD_TIER = 'standard';

/** Whose price counts for a request through a provider (a gateway, say) that the book does not name. */
const vendors: Readonly<Record<string, string>> = {
  'claude-code': 'anthropic',
  codex: 'openai',
  gemini: 'google',
};

/** How many answers of "which prices are this model's" are remembered: names may be hostile. */
const MODELS_REMEMBERED_MAX = 1_000;

export interface Costing {
  readonly nanoUsd: number;
  /** The publication that the price was taken from. */
  readonly priceVersion: string;
}

interface Candidate extends Price {
  readonly publication: PublishedPrices;
  readonly matches: (model: string) => boolean;
  /** Characters that must be equal; an exact name has more than any pattern. */
  readonly precision: number;
}

/** The prices of all publications. A later one outranks an earlier one of the same origin. */
export class PriceBook {
  private readonly candidates = new Map<string, Candidate[]>();
  private readonly remembered = new Map<string, readonly Candidate[]>();

  constructor(readonly publications: readonly PublishedPrices[] = []) {
    for (const publication of publications) {
      for (const price of publication.prices) this.add(price, publication);
    }
  }

  /** Undefined when no price is known for this request, or not for every kind of token that it used. */
  costOf(usage: UsageToPrice): Costing | undefined {
    const price = this.priceFor(usage);
    if (price === undefined) return undefined;
    let total = 0n;
    for (const [kind, tokens] of tokensByKind(usage)) {
      const rate = price.nanoUsdPerMillionTokens[kind];
      if (tokens === 0) continue;
      if (rate === null) return undefined;
      total += BigInt(tokens) * BigInt(rate);
    }
    const nanoUsd = Number(dividedHalfToEven(total, TOKENS_PER_PRICE));
    const { priceVersion } = price.publication;
    return Number.isSafeInteger(nanoUsd) ? { nanoUsd, priceVersion } : undefined;
  }

  private priceFor(usage: UsageToPrice): Candidate | undefined {
    const tier = usage.tier ?? STANDARD_TIER;
    const promptTokens = usage.inputTokens + usage.cacheReadTokens + usage.cacheCreationTokens;
    return this.pricesOf(usage).find(
      (price) =>
        price.tier === tier &&
        price.promptTokensAbove <= Math.max(0, promptTokens - 1) &&
        price.validFrom <= usage.occurredAt &&
        (price.validUntil === null || usage.occurredAt < price.validUntil),
    );
  }

  /** All prices of a model, the one that counts before those that it outranks. */
  private pricesOf({ agent, provider, model }: UsageToPrice): readonly Candidate[] {
    const seller = this.candidates.has(provider) ? provider : (vendors[agent] ?? provider);
    const key = JSON.stringify([seller, model]);
    const known = this.remembered.get(key);
    if (known !== undefined) return known;
    const found = (this.candidates.get(seller) ?? [])
      .filter(({ matches }) => matches(model))
      .sort(byRank);
    if (this.remembered.size >= MODELS_REMEMBERED_MAX) this.remembered.clear();
    this.remembered.set(key, found);
    return found;
  }

  private add(price: Price, publication: PublishedPrices): void {
    const others = this.candidates.get(price.provider) ?? [];
    others.push({ ...price, publication, ...matcherOf(price.model) });
    this.candidates.set(price.provider, others);
  }
}

/** The operator's before shipped ones; then the closest name, the latest start, the highest threshold. */
function byRank(a: Candidate, b: Candidate): number {
  const operators = (it: Candidate) => (it.publication.origin === 'operator' ? 1 : 0);
  return (
    operators(b) - operators(a) ||
    b.precision - a.precision ||
    compare(b.validFrom, a.validFrom) ||
    b.promptTokensAbove - a.promptTokensAbove ||
    b.publication.order - a.publication.order
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A model's name; a `*` at its end stands for whatever follows, such as the date of a snapshot. */
function matcherOf(name: string): Pick<Candidate, 'matches' | 'precision'> {
  if (!name.endsWith('*')) return { matches: (model) => model === name, precision: Infinity };
  const start = name.slice(0, -1);
  return { matches: (model) => model.startsWith(start), precision: start.length };
}

function tokensByKind(usage: UsageToPrice): (readonly [TokenKind, number])[] {
  const hour = usage.cacheCreation1hTokens ?? 0;
  return [
    ['input', usage.inputTokens],
    ['output', usage.outputTokens],
    ['cacheRead', usage.cacheReadTokens],
    ['cacheCreation', Math.max(0, usage.cacheCreationTokens - hour)],
    ['cacheCreation1h', hour],
  ];
}

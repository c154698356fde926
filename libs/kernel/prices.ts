import { dividedHalfToEven } from './money.js';
import type { TokenKind, Price, PublishedPrices, UsageToPrice } from './price-shapes.js';

/**
 * What a model request costs by the price book. Prices are whole nano-dollars per million tokens, so
 * that a cost is exact until it is rounded, once, half to even.
 */

const TOKENS_PER_PRICE = 1_000_000n;
export const STANDARD_TIER = 'standard';

/** Whose prices count for a request through a provider (a gateway, say) that has none for the model. */
const vendors: ReadonlyMap<string, string> = new Map([
  ['claude-code', 'anthropic'],
  ['codex', 'openai'],
  ['gemini', 'google'],
]);

/** Whose prices may count for an agent's requests to a provider: its own, else those of the agent's vendor. */
export function sellersOf(agent: string, provider: string): ReadonlySet<string> {
  return new Set([provider, vendors.get(agent) ?? provider]);
}

/** How many answers of "which prices are this model's" are remembered: names may be hostile. */
const MODELS_REMEMBERED_MAX = 1_000;

export interface Costing {
  readonly nanoUsd: number;
  /** The publication that the price was taken from. */
  readonly priceVersion: string;
}

interface Candidate extends Price {
  readonly publication: PublishedPrices;
  readonly fromMs: number;
  /** Infinity where it has no end. */
  readonly untilMs: number;
}

/**
 * The prices of all publications. Where several are a request's, the operator's count before shipped
 * ones, then the closest name, then what was published last, then the latest start and the highest
 * number of prompt tokens.
 */
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
    const tokens = tokensByKind(usage);
    // Whoever asks may not have checked yet, and half a token has no exact price.
    if (!tokens.every(([, count]) => Number.isSafeInteger(count) && count >= 0)) return undefined;
    const price = this.priceFor(usage);
    if (price === undefined) return undefined;
    let total = 0n;
    for (const [kind, count] of tokens) {
      const rate = price.nanoUsdPerMillionTokens[kind];
      if (count === 0) continue;
      if (rate === null) return undefined;
      total += BigInt(count) * BigInt(rate);
    }
    const nanoUsd = Number(dividedHalfToEven(total, TOKENS_PER_PRICE));
    const { priceVersion } = price.publication;
    return Number.isSafeInteger(nanoUsd) ? { nanoUsd, priceVersion } : undefined;
  }

  private priceFor(usage: UsageToPrice): Candidate | undefined {
    const tier = usage.tier ?? STANDARD_TIER;
    const promptTokens = usage.inputTokens + usage.cacheReadTokens + usage.cacheCreationTokens;
    const atMs = Date.parse(usage.occurredAt);
    return this.pricesOf(usage).find(
      (price) =>
        price.tier === tier &&
        (price.promptTokensAbove === 0 || price.promptTokensAbove < promptTokens) &&
        price.fromMs <= atMs &&
        atMs < price.untilMs,
    );
  }

  /** All prices of a model, the one that counts before those that it outranks. */
  private pricesOf({ agent, provider, model }: UsageToPrice): readonly Candidate[] {
    const key = JSON.stringify([agent, provider, model]);
    const known = this.remembered.get(key);
    if (known !== undefined) return known;
    const vendor = vendors.get(agent);
    const own = this.ranked(provider, model);
    const found = own.length > 0 || vendor === undefined ? own : this.ranked(vendor, model);
    if (this.remembered.size >= MODELS_REMEMBERED_MAX) this.remembered.clear();
    this.remembered.set(key, found);
    return found;
  }

  private ranked(seller: string, model: string): readonly Candidate[] {
    const plain = plainName(model, seller);
    return (this.candidates.get(seller) ?? [])
      .map((price) => ({ price, closeness: closenessOf(price.model, model, plain) }))
      .filter(({ closeness }) => closeness >= 0)
      .sort((a, b) => byRank(a.price, b.price, b.closeness - a.closeness))
      .map(({ price }) => price);
  }

  private add(price: Price, publication: PublishedPrices): void {
    const others = this.candidates.get(price.provider) ?? [];
    const fromMs = Date.parse(price.validFrom);
    const untilMs = price.validUntil === null ? Infinity : Date.parse(price.validUntil);
    others.push({ ...price, publication, fromMs, untilMs });
    this.candidates.set(price.provider, others);
  }
}

function byRank(a: Candidate, b: Candidate, byName: number): number {
  const operators = (it: Candidate) => (it.publication.origin === 'operator' ? 1 : 0);
  return (
    operators(b) - operators(a) ||
    byName ||
    b.publication.order - a.publication.order ||
    b.fromMs - a.fromMs ||
    b.promptTokensAbove - a.promptTokensAbove
  );
}

const EXACTLY = 2_000_000;
const PLAINLY = 1_000_000;
const snapshotDate = /^[-@](20\d{6}|20\d\d-\d\d-\d\d)$/;

/**
 * How close a name of the book is to a model's: the same, the same but for its spelling, a snapshot
 * of it (`-20250929`, `-2025-08-07`), or, with a `*` at its end, by the characters that are equal.
 * Negative when it is another model's name.
 */
function closenessOf(name: string, model: string, plain: string): number {
  if (name === model) return EXACTLY;
  if (name === plain) return PLAINLY;
  if (name.endsWith('*')) {
    const start = name.slice(0, -1);
    return model.startsWith(start) || plain.startsWith(start) ? start.length : -1;
  }
  const isSnapshot = plain.startsWith(name) && snapshotDate.test(plain.slice(name.length));
  return isSnapshot ? name.length + 0.5 : -1;
}

/** Without what names the seller (`anthropic/`, `models/`) or a window (`[1m]`), not the model. */
function plainName(model: string, seller: string): string {
  const prefix = [`${seller}/`, 'models/'].find((it) => model.startsWith(it)) ?? '';
  return model.slice(prefix.length).replace(/\[1m\]$/, '');
}

function tokensByKind(usage: UsageToPrice): (readonly [TokenKind, number])[] {
  const hour = Math.min(usage.cacheCreation1hTokens ?? 0, usage.cacheCreationTokens);
  return [
    ['input', usage.inputTokens],
    ['output', usage.outputTokens],
    ['cacheRead', usage.cacheReadTokens],
    ['cacheCreation', usage.cacheCreationTokens - hour],
    ['cacheCreation1h', hour],
  ];
}

/** The words in which prices are spoken of. */

export type TokenKind = 'input' | 'output' | 'cacheRead' | 'cacheCreation' | 'cacheCreation1h';

/** What one model costs, of one tier, from a time on. */
export interface Price {
  /** Who sells it: `anthropic`, `openai`, `google`. */
  readonly provider: string;
  /** The model's name, which is that of its dated snapshots, too; with a `*` at its end all names that begin so. */
  readonly model: string;
  /** `standard` unless the client says another. */
  readonly tier: string;
  /** Counts for requests whose prompt, cached tokens included, has more tokens than this. */
  readonly promptTokensAbove: number;
  /** ISO-8601 UTC, inclusive. */
  readonly validFrom: string;
  /** ISO-8601 UTC, exclusive; null = until another price counts. */
  readonly validUntil: string | null;
  /** Null = not known: a request that used such tokens has no price. */
  readonly nanoUsdPerMillionTokens: Readonly<Record<TokenKind, number | null>>;
}

export interface PublishedPrices {
  readonly priceVersion: string;
  /** Later publications have higher ones. */
  readonly order: number;
  readonly origin: 'shipped' | 'operator';
  readonly prices: readonly Price[];
}

export interface UsageToPrice {
  readonly agent: string;
  readonly provider: string;
  readonly model: string;
  readonly tier: string | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
  readonly cacheCreation1hTokens: number | null;
  /** ISO-8601 UTC. */
  readonly occurredAt: string;
}

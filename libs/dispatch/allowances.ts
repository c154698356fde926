import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { PublishedPrices } from '#kernel/price-shapes.js';

/** What may still be spent under some scopes, as far as budgets in money limit it. */
export interface Allowance {
  /** null = no budget limits it. Nought where nothing is left. */
  readonly remainingNanoUsd: number | null;
  /** Within any 60 seconds; null = no budget limits it. */
  readonly nanoUsdPerMinute: number | null;
}

/**
 * What workers are told so that they can hold agents to it while they hear of no server. A class, so that it
 * is its own injection token: budgets and prices are other contexts.
 */
export abstract class Allowances {
  /** Undefined while it is not known what was spent. */
  abstract of(scopes: ReadonlySet<string>): Allowance | undefined;
  /** What an agent's requests to a provider may cost from now on. */
  abstract pricesOf(agent: AgentName, provider: string): readonly PublishedPrices[];
}

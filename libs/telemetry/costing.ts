import type { StatedRequest } from '#eventstore/vocabulary/usage.events.js';
import type { DataOf, DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Costing } from '#kernel/prices.js';
import type { UsageToPrice } from '#kernel/price-shapes.js';
import { eventIdOf } from './attributes.translate.js';

/** What a request costs by today's price book; undefined = no price is known. */
export type CostOf = (usage: UsageToPrice) => Costing | undefined;

/**
 * Stamps usage with what it costs by the price book. A cost that the agent reported stays the one
 * that counts. Usage that has neither is followed by a notice, the same one for each agent, provider
 * and model, so that the log keeps it once.
 */
export function costed(event: DomainEvent, costOf: CostOf): DomainEvent[] {
  switch (event.type) {
    case 'UsageRecorded': {
      const data = withCost(event.data, event.data.agent, event.metadata.occurredAt, costOf);
      return [{ ...event, data }, ...notices(event, [data])];
    }
    case 'UsageStated': {
      const { agent } = event.data;
      const requests = event.data.requests.map((it) => withCost(it, agent, it.occurredAt, costOf));
      return [{ ...event, data: { ...event.data, requests } }, ...notices(event, requests)];
    }
    default:
      return [event];
  }
}

type Usage = DataOf<'UsageRecorded'> | StatedRequest;

function withCost<Of extends Usage>(
  usage: Of,
  agent: string,
  occurredAt: string,
  costOf: CostOf,
): Of {
  const costing = costOf({ ...usage, agent, occurredAt });
  if (costing === undefined) return usage;
  const { nanoUsd, priceVersion } = costing;
  const computed = { computedNanoUsd: nanoUsd, priceVersion };
  return usage.costNanoUsd === null
    ? { ...usage, ...computed, costNanoUsd: nanoUsd, costOrigin: 'computed' }
    : { ...usage, ...computed };
}

type UsageEvent = DomainEvent & { type: 'UsageRecorded' | 'UsageStated' };

function notices({ data, metadata }: UsageEvent, usages: readonly Usage[]): DomainEvent[] {
  const { agent } = data;
  const missing = new Map<string, DomainEvent>();
  for (const { costNanoUsd, provider, model } of usages) {
    if (costNanoUsd !== null) continue;
    const id = eventIdOf('price-missing', agent, provider, model);
    missing.set(id, { id, type: 'PriceMissing', data: { agent, provider, model }, metadata });
  }
  return [...missing.values()];
}

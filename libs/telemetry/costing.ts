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
  if (event.type !== 'UsageRecorded') return [event];
  const { occurredAt } = event.metadata;
  const costing = costOf({ ...event.data, occurredAt });
  if (costing === undefined) {
    return event.data.costNanoUsd === null ? [event, priceMissing(event)] : [event];
  }
  const { nanoUsd, priceVersion } = costing;
  const computed = { computedNanoUsd: nanoUsd, priceVersion };
  const isReported = event.data.costNanoUsd !== null;
  const data: DataOf<'UsageRecorded'> = isReported
    ? { ...event.data, ...computed }
    : { ...event.data, ...computed, costNanoUsd: nanoUsd, costOrigin: 'computed' };
  return [{ ...event, data }];
}

function priceMissing({ data, metadata }: DomainEvent & { type: 'UsageRecorded' }): DomainEvent {
  const { agent, provider, model } = data;
  return {
    id: eventIdOf('price-missing', agent, provider, model),
    type: 'PriceMissing',
    data: { agent, provider, model },
    metadata,
  };
}

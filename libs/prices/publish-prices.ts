import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '#platform/clock.js';
import { LivePrices } from './live-prices.js';
import { readEntries } from './price-entries.decode.js';
import { outOfForce } from './prices.decider.js';
import type { PublicationAnswer } from './prices.shapes.js';

/** An operator publishes prices; see `priceEntry` for what an entry is. */
export class PublishPrices extends Command<PublicationAnswer> {
  constructor(
    readonly source: string,
    readonly entries: readonly unknown[],
  ) {
    super();
  }
}

@CommandHandler(PublishPrices)
export class PublishPricesHandler implements ICommandHandler<PublishPrices> {
  constructor(
    private readonly live: LivePrices,
    private readonly clock: Clock,
  ) {}

  async execute({ source, entries }: PublishPrices): Promise<PublicationAnswer> {
    const commandId = randomUUID();
    const occurredAt = new Date(this.clock.now()).toISOString();
    const priceVersion = `operator-${occurredAt}-${commandId.slice(0, 8)}`;
    const { events, state } = await this.live.publish(
      { priceVersion, origin: 'operator', source, entries },
      { commandId, actor: 'operator:api', source: 'api', occurredAt },
    );
    const { prices, refused, warnings } = readEntries(entries);
    const isNew = events.length > 0;
    const index = state.findIndex((it) => it.priceVersion === priceVersion);
    const lost = isNew ? outOfForce(prices, state.slice(0, index)) : [];
    return {
      priceVersion: isNew ? priceVersion : null,
      accepted: prices.length,
      refused: refused.map((it) => ({ ...it, overlaps: [...it.overlaps] })),
      warnings: [...warnings, ...lost],
    };
  }
}

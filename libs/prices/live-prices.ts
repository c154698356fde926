import { v5 } from 'uuid';
import type { EventLog } from '#eventstore/src/log.js';
import { PRICES_STREAM } from '#eventstore/vocabulary/prices.events.js';
import { limits } from '#kernel/limits.js';
import type { Price, PublishedPrices, UsageToPrice } from '#kernel/price-shapes.js';
import { PriceBook, sellersOf, type Costing } from '#kernel/prices.js';
import type { Clock } from '#platform/clock.js';
import { Decisions, type CommandOrigin, type Decision } from '#platform/decisions.js';
import { PriceSource } from '#platform/price-source.js';
import {
  pricesDecider,
  type Publications,
  type PricesPublished,
  type PublishEntries,
} from './prices.decider.js';
import { shippedPrices } from './shipped-prices.js';

/** Ids of the commands that publish shipped prices: every process has the same. */
const NAMESPACE = '4f1d6f0e-5d0b-4f6a-9a57-8f6f0a3f3c11';

/**
 * The price book of this process. It follows the stream of prices: at once where the publication was
 * made here, within a second where another process made it.
 */
export class LivePrices extends PriceSource {
  private readonly decisions: Decisions<PublishEntries, Publications, PricesPublished>;
  private known: Publications = pricesDecider.initial;
  private current = new PriceBook();
  private isShipped = false;
  private timer: NodeJS.Timeout | undefined;
  private polling: Promise<void> | undefined;
  private reported = '';

  /** @param report is told, once, why the book does not follow. */
  constructor(
    log: EventLog,
    private readonly clock: Clock,
    private readonly report: (sentence: string) => void,
  ) {
    super();
    this.decisions = new Decisions(log, PRICES_STREAM, pricesDecider);
  }

  get publications(): Publications {
    return this.known;
  }

  /** What a request costs by today's price book; undefined = no price is known. */
  costOf(usage: UsageToPrice): Costing | undefined {
    return this.current.costOf(usage);
  }

  /** What an agent's requests to a provider may cost from now on: the newest, at most `pricesToldMax`. */
  inForce(agent: string, provider: string): readonly PublishedPrices[] {
    const sellers = sellersOf(agent, provider);
    const nowMs = this.clock.now();
    let room: number = limits.pricesToldMax;
    return this.known.toReversed().flatMap(({ priceVersion, order, origin, prices }) => {
      const own = prices
        .filter((it) => sellers.has(it.provider) && !hasEnded(it, nowMs))
        .slice(0, room);
      room -= own.length;
      return own.length === 0 ? [] : [{ priceVersion, order, origin, prices: own }];
    });
  }

  /** Loads the book, publishes the shipped prices where this version of them is new, and follows. */
  async start(): Promise<void> {
    await this.poll();
    this.timer = setInterval(() => {
      this.polling ??= this.poll().finally(() => {
        this.polling = undefined;
      });
    }, limits.pricesPollMs);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.polling;
  }

  /** Resolves when the prices are durable and count in this process. */
  async publish(
    command: PublishEntries,
    origin: CommandOrigin,
  ): Promise<Decision<Publications, PricesPublished>> {
    const decision = await this.decisions.decide(command, origin);
    this.take();
    return decision;
  }

  private async poll(): Promise<void> {
    try {
      await this.decisions.catchUp();
      if (!this.isShipped) await this.ship();
      this.reported = '';
    } catch (error) {
      // Telemetry is taken in all the same: what cannot be priced now has no price.
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.reported)
        this.report(`The price book does not follow the log: ${reason}`);
      this.reported = reason;
    }
    this.take();
  }

  private async ship(): Promise<void> {
    await this.decisions.decide(shippedPrices, {
      commandId: v5(shippedPrices.priceVersion, NAMESPACE),
      actor: 'tri-agent',
      source: 'shipped prices',
      occurredAt: new Date(this.clock.now()).toISOString(),
    });
    this.isShipped = true;
  }

  private take(): void {
    const { state } = this.decisions;
    if (state === this.known) return;
    this.known = state;
    this.current = new PriceBook(state);
  }
}

function hasEnded({ validUntil }: Price, nowMs: number): boolean {
  return validUntil !== null && Date.parse(validUntil) <= nowMs;
}

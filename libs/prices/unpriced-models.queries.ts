import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import { ReadModels } from '#platform/read-models.js';
import { LivePrices } from './live-prices.js';
import type { MissingItem, MissingQuery } from './prices.shapes.js';
import { unpricedModelsProjection } from './unpriced-models.projection.js';

interface Row {
  readonly id: bigint;
  readonly agent: AgentName;
  readonly provider: string;
  readonly model: string;
  readonly tier: string;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly occurredAt: string;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly cacheReadTokens: bigint;
  readonly cacheCreationTokens: bigint;
  readonly cacheCreation1hTokens: bigint;
}

const rows = `
  SELECT id, agent, provider, model, tier, first_seen_at AS firstSeenAt, last_seen_at AS lastSeenAt,
    last_occurred_at AS occurredAt, input_tokens AS inputTokens, output_tokens AS outputTokens,
    cache_read_tokens AS cacheReadTokens, cache_creation_tokens AS cacheCreationTokens,
    cache_creation_1h_tokens AS cacheCreation1hTokens
  FROM unpriced_models WHERE id > ? ORDER BY id`;

const cursorParts = z.tuple([z.int().nonnegative()]);

/** Models that were used and had no price then, in the order in which they were first seen. */
@Injectable()
export class UnpricedModelsQueries {
  constructor(
    private readonly models: ReadModels,
    private readonly live: LivePrices,
  ) {}

  list({ all, limit, cursor }: MissingQuery) {
    const [after] = cursor === undefined ? [0] : decodeCursor(cursor, cursorParts);
    const found = this.read(after).filter(({ item }) => all || !item.resolved);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(({ item }) => item),
      nextCursor: found.length > limit && last !== undefined ? encodeCursor([last.id]) : null,
    };
  }

  /** How many models of a provider have no price to this day. */
  count(): number {
    const open = this.read(0).filter(({ item }) => !item.resolved);
    return new Set(open.map(({ item }) => JSON.stringify([item.provider, item.model]))).size;
  }

  /** All at once: the read model holds few. */
  private read(after: number): { readonly id: number; readonly item: MissingItem }[] {
    const found = this.models.read(unpricedModelsProjection, (prepare) =>
      prepare<[number], Row>(rows).all(after),
    );
    return found.map((row) => {
      const { agent, provider, model, tier, firstSeenAt, lastSeenAt } = row;
      const resolved = this.hasPrice(row);
      const item = { agent, provider, model, tier, firstSeenAt, lastSeenAt, resolved };
      return { id: Number(row.id), item };
    });
  }

  private hasPrice(row: Row): boolean {
    const { agent, provider, model, tier, occurredAt } = row;
    const costing = this.live.costOf({
      agent,
      provider,
      model,
      tier,
      occurredAt,
      inputTokens: Number(row.inputTokens),
      outputTokens: Number(row.outputTokens),
      cacheReadTokens: Number(row.cacheReadTokens),
      cacheCreationTokens: Number(row.cacheCreationTokens),
      cacheCreation1hTokens: Number(row.cacheCreation1hTokens),
    });
    return costing !== undefined;
  }
}

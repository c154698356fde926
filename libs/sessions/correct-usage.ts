import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { v5 } from 'uuid';
import { z } from 'zod';
import { EventLog } from '#eventstore/src/log.js';
import { sessionStream } from '#eventstore/vocabulary/session.events.js';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { formatUsd } from '#kernel/money.js';
import { Clock } from '#platform/clock.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import { PriceSource } from '#platform/price-source.js';
import { ReadModels } from '#platform/read-models.js';
import type { CorrectionsAnswer, CorrectionsBody } from './corrections.shapes.js';
import { usageProjection } from './usage.projection.js';

/** An operator has usage computed anew by the price book as it is now, a page at a time. */
export class CorrectUsage extends Command<CorrectionsAnswer> {
  constructor(readonly wish: CorrectionsBody) {
    super();
  }
}

/** A statement about a request, as far as its price depends on it. */
interface Statement {
  readonly id: bigint;
  readonly usageId: string;
  readonly agent: AgentName;
  readonly sessionId: string;
  readonly provider: string;
  readonly model: string;
  readonly tier: string | null;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly cacheReadTokens: bigint;
  readonly cacheCreationTokens: bigint;
  readonly cacheCreation1hTokens: bigint | null;
  readonly at: bigint;
  readonly counts: bigint;
  readonly reportedNanoUsd: bigint | null;
  readonly computedNanoUsd: bigint | null;
  /** How many there were before. */
  readonly corrections: bigint;
}

interface Correction {
  readonly statement: Statement;
  readonly computedNanoUsd: number | null;
  readonly priceVersion: string | null;
}

const pageOfStatements = `
  SELECT one.id, usage_id AS usageId, one.agent, one.session_id AS sessionId, key.provider, key.model,
    tier, input_tokens AS inputTokens, output_tokens AS outputTokens,
    cache_read_tokens AS cacheReadTokens, cache_creation_tokens AS cacheCreationTokens,
    cache_creation_1h_tokens AS cacheCreation1hTokens, occurred_at AS at, counts,
    reported_nano_usd AS reportedNanoUsd, computed_nano_usd AS computedNanoUsd,
    corrections
  FROM usage_statements AS one JOIN usage_keys AS key ON key.id = one.key_id
  WHERE one.id > @after AND occurred_at >= @since AND occurred_at < @until
  ORDER BY one.id LIMIT ${limits.correctionsPageMax}`;

const cursorParts = z.tuple([z.int().nonnegative()]);

@CommandHandler(CorrectUsage)
export class CorrectUsageHandler implements ICommandHandler<CorrectUsage> {
  constructor(
    private readonly log: EventLog,
    private readonly models: ReadModels,
    private readonly prices: PriceSource,
    private readonly clock: Clock,
  ) {}

  /** Whoever asks twice, or before the read model has caught up, gets the same events, once. */
  async execute({ wish }: CorrectUsage): Promise<CorrectionsAnswer> {
    const statements = this.read(wish);
    const corrections = statements.flatMap((it) => this.correctionOf(it));
    if (!wish.dryRun) await this.append(corrections);
    const last = statements.at(-1);
    const isMore = statements.length === limits.correctionsPageMax && last !== undefined;
    const corrected = new Map(corrections.map((it) => [it.statement, it.computedNanoUsd]));
    const counted = statements.filter(({ counts }) => counts === 1n);
    const priceNow = (it: Statement) =>
      corrected.has(it) ? corrected.get(it) : it.computedNanoUsd;
    return {
      checkedRequests: counted.length,
      correctedRequests: counted.filter((it) => corrected.has(it)).length,
      unpricedRequests: counted.filter((it) => it.reportedNanoUsd === null && priceNow(it) === null)
        .length,
      costDifferenceUsd: formatUsd(differenceOf(corrections)),
      nextCursor: isMore ? encodeCursor([Number(last.id)]) : null,
    };
  }

  private read({ since, until, cursor }: CorrectionsBody): Statement[] {
    const [after] = cursor === undefined ? [0] : decodeCursor(cursor, cursorParts);
    const range = {
      since: Date.parse(since),
      until: until === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(until),
    };
    return this.models.read(usageProjection, (prepare) =>
      prepare<[object], Statement>(pageOfStatements).all({ ...range, after }),
    );
  }

  private correctionOf(statement: Statement): Correction[] {
    const { agent, provider, model, tier, cacheCreation1hTokens: hour } = statement;
    const costing = this.prices.costOf({
      ...{ agent, provider, model, tier },
      inputTokens: Number(statement.inputTokens),
      outputTokens: Number(statement.outputTokens),
      cacheReadTokens: Number(statement.cacheReadTokens),
      cacheCreationTokens: Number(statement.cacheCreationTokens),
      cacheCreation1hTokens: hour === null ? null : Number(hour),
      occurredAt: new Date(Number(statement.at)).toISOString(),
    });
    const computedNanoUsd = costing?.nanoUsd ?? null;
    const before = statement.computedNanoUsd;
    if (computedNanoUsd === (before === null ? null : Number(before))) return [];
    return [{ statement, computedNanoUsd, priceVersion: costing?.priceVersion ?? null }];
  }

  /** All streams in one tick, so that they share one commit of the log. */
  private async append(corrections: readonly Correction[]): Promise<void> {
    const occurredAt = new Date(this.clock.now()).toISOString();
    const streams = Map.groupBy(corrections, ({ statement: { agent, sessionId } }) =>
      sessionStream(agent, sessionId),
    );
    const appends = [...streams].map(([stream, some]) =>
      this.log.append(
        stream,
        'any',
        some.map((it) => eventOf(it, occurredAt)),
      ),
    );
    const failed = (await Promise.allSettled(appends)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }
}

function eventOf(correction: Correction, occurredAt: string): DomainEvent {
  const { statement, computedNanoUsd, priceVersion } = correction;
  const { usageId, agent, sessionId, corrections } = statement;
  return {
    // The same correction has the same id, and one that comes back later another.
    id: v5(JSON.stringify([Number(corrections), computedNanoUsd, priceVersion]), usageId),
    type: 'UsageRepriced',
    data: { agent, sessionId, usageId, computedNanoUsd, priceVersion },
    metadata: { actor: 'operator:api', source: 'price book', occurredAt },
  };
}

/** By how much the cost that counts changes: a reported one never does. */
function differenceOf(corrections: readonly Correction[]): bigint {
  return corrections
    .filter(({ statement }) => statement.counts === 1n && statement.reportedNanoUsd === null)
    .reduce(
      (sum, { statement, computedNanoUsd }) =>
        sum + BigInt(computedNanoUsd ?? 0) - (statement.computedNanoUsd ?? 0n),
      0n,
    );
}

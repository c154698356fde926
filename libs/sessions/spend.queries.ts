import { limits } from '#kernel/limits.js';
import type { Prepare, ReadModels } from '#platform/read-models.js';
import { blocksFrom } from './usage-blocks.js';
import {
  keyColumns,
  metered,
  minutesInRange,
  ofMetered,
  ofMinutes,
  sumsCutAt,
  withTheirKeys,
  type UsageFilter,
} from './usage-filter.js';
import { usageProjection } from './usage.projection.js';
import { safeSum, statementAmounts, summing } from './usage-sums.js';
import { MINUTE_MS } from './usage-totals.js';

/** What was used of late, for whoever watches it as it grows: the figures of usage, in other cuts. */

interface Row {
  readonly at: bigint;
  readonly agent: string;
  readonly session: string;
  readonly model: string;
  readonly project: string;
  readonly team: string;
  readonly user: string;
  readonly task: string;
  readonly nanoUsd: bigint;
  readonly tokens: bigint;
  readonly unpriced: bigint;
}

/** Whose it is and what it comes to. Milliseconds since 1970; sums stay at what a number holds exactly. */
export type UsedAt = ReturnType<typeof used>;

const whose = `key.agent, key.session_id AS session, key.model, key.project, key.team,
  key.user_id AS user, key.task_id AS task`;
const tokens = ['input', 'output', 'cache_read', 'cache_creation']
  .map((it) => `counted.${it}_tokens`)
  .join(' + ');
const amounts = `${safeSum('counted.cost_nano_usd')} AS nanoUsd, ${safeSum(`(${tokens})`)} AS tokens,
  sum(counted.unpriced_requests) AS unpriced`;

/** Metrics count at the end of their minute, since nobody knows when in it, or now if that is earlier. */
const entries = `
  SELECT counted.occurred_at AS at, counted.counted_key_id AS key_id, ${statementAmounts}
    FROM usage_statements AS counted
    WHERE counted.counts = 1 AND counted.occurred_at >= @sinceMs AND counted.occurred_at < @untilMs
  UNION ALL
  SELECT min((counted.minute + 1) * ${MINUTE_MS}, @untilMs) - 1 AS at, counted.key_id,
    ${summing.columns.replaceAll(/(\w+)(,|$)/g, 'counted.$1$2')}
    FROM ${metered}
    WHERE (counted.minute + 1) * ${MINUTE_MS} > @sinceMs AND counted.minute >= @sinceMs / ${MINUTE_MS} - 1
      AND counted.minute * ${MINUTE_MS} < @untilMs AND ${ofMetered({ since: 0, until: 0 })}`;

const everything = { since: 0, until: Number.MAX_SAFE_INTEGER };

/** Queries of one snapshot. */
export class SpendQueries {
  constructor(private readonly models: ReadModels) {}

  /** @throws {Refusal} `READ_MODEL_BUILDING` */
  async reached(position: bigint): Promise<void> {
    await this.models.reached(usageProjection, position, limits.spendReachedMs);
  }

  /** @throws {Refusal} `READ_MODEL_BUILDING` */
  read<Result>(query: (snapshot: SpendSnapshot) => Result): Result {
    return this.models.read(usageProjection, (prepare) => query(new SpendSnapshot(prepare)));
  }
}

export class SpendSnapshot {
  constructor(private readonly prepare: Prepare) {}

  /** Requests by the millisecond, metrics by the minute, in the order of time. */
  entries(sinceMs: number, untilMs: number): UsedAt[] {
    const sql = `SELECT counted.at AS at, ${whose}, counted.cost_nano_usd AS nanoUsd,
        ${tokens} AS tokens, counted.unpriced_requests AS unpriced
      FROM (${entries}) AS counted ${withTheirKeys} ORDER BY counted.at`;
    return this.all(sql, { sinceMs, untilMs });
  }

  /** Of whole minutes, by whose it is. */
  sums(sinceMs: number, untilMs: number): UsedAt[] {
    return this.ofMinutes('@since', 'counted.key_id', sinceMs, untilMs);
  }

  /** All from a quarter of an hour on, by quarters and by whose it is. */
  quarters(sinceMs: number): UsedAt[] {
    return this.ofMinutes('counted.minute', 'counted.minute, counted.key_id', sinceMs, Infinity);
  }

  firstMs(): number | undefined {
    const sql = 'SELECT min(minute) AS at FROM usage_by_minute';
    const minute = this.prepare<[], { at: bigint | null }>(sql).get()?.at ?? null;
    return minute === null ? undefined : Number(minute) * MINUTE_MS;
  }

  /**
   * The last block of five hours of what is asked for that begins at a moment or before.
   *
   * @param afterMs to begin from: the end of such a block, or a later time up to which nothing was used
   *   since; -1 = the beginning
   */
  blockAt(of: Partial<UsageFilter>, atMs: number, afterMs: number) {
    let last: { startMs: number; endMs: number } | undefined;
    for (const { start, end } of blocksFrom({ ...everything, ...of }, this.prepare, afterMs)) {
      const [startMs, endMs] = [start * MINUTE_MS, end * MINUTE_MS];
      if (startMs > atMs) break;
      last = { startMs, endMs };
      if (atMs < endMs) break;
    }
    return last;
  }

  momentOf(usageId: string): number | undefined {
    const sql = 'SELECT occurred_at AS at FROM usage_statements WHERE usage_id = ?';
    const found = this.prepare<[string], { at: bigint }>(sql).get(usageId);
    return found && Number(found.at);
  }

  /** Whether anybody of this name was ever seen. */
  hasSeen(cut: keyof typeof keyColumns, name: string): boolean {
    const sql = `SELECT 1 FROM usage_keys AS key WHERE ${keyColumns[cut]} = ? LIMIT 1`;
    return this.prepare<[string], object>(sql).get(name) !== undefined;
  }

  hasMetrics(agent: string, session: string): boolean {
    const sql = `SELECT 1 FROM usage_keys
      WHERE agent = ? AND session_id = ? AND origin = 'metrics' LIMIT 1`;
    return this.prepare<[string, string], object>(sql).get(agent, session) !== undefined;
  }

  private ofMinutes(at: string, groups: string, sinceMs: number, untilMs: number): UsedAt[] {
    const since = sinceMs / MINUTE_MS;
    const until = Math.min(untilMs / MINUTE_MS, Number.MAX_SAFE_INTEGER);
    const sql = `SELECT ${at} * ${MINUTE_MS} AS at, ${whose}, ${amounts}
      FROM ${sumsCutAt([since, until])} ${withTheirKeys}
      WHERE ${minutesInRange} AND ${ofMinutes(everything)} GROUP BY ${groups}`;
    return this.all(sql, { since, until });
  }

  private all(sql: string, bind: object): UsedAt[] {
    return this.prepare<[object], Row>(sql).all(bind).map(used);
  }
}

function used({ at, nanoUsd, tokens, unpriced, ...by }: Row) {
  return {
    ...by,
    atMs: Number(at),
    nanoUsd: exact(nanoUsd),
    tokens: exact(tokens),
    unpricedRequests: exact(unpriced),
  };
}

function exact(amount: bigint): number {
  return Math.min(Number(amount), Number.MAX_SAFE_INTEGER);
}

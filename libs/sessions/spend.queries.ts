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
import { safeSum } from './usage-sums.js';
import { MINUTE_MS } from './usage-totals.js';

/** What was used of late, for whoever watches it as it grows: the figures of usage, in other cuts. */

/** When, whose (`usage_keys`), and what it comes to. */
type Row = readonly [at: number, keyId: number, nanoUsd: number, tokens: number, unpriced: number];

interface Whose {
  readonly agent: string;
  readonly session: string;
  readonly model: string;
  readonly project: string;
  readonly team: string;
  readonly user: string;
  readonly task: string;
}

/** Milliseconds since 1970. Sums stay at what a number holds exactly. */
export interface UsedAt {
  readonly atMs: number;
  /** The same object for all that is read at once of the same. */
  readonly by: Whose;
  readonly nanoUsd: number;
  readonly tokens: number;
  readonly unpricedRequests: number;
}

const selectWhose = `SELECT agent, session_id AS session, model, project, team, user_id AS user,
  task_id AS task FROM usage_keys WHERE id = ?`;
const tokens = ['input', 'output', 'cache_read', 'cache_creation']
  .map((it) => `counted.${it}_tokens`)
  .join(' + ');
const amounts = `${safeSum('counted.cost_nano_usd')}, ${safeSum(`(${tokens})`)}, sum(counted.unpriced_requests)`;

/** As `requestAmounts` has them, and no more: this is read whenever something is used. */
const requests = `
  SELECT occurred_at, counted_key_id, coalesce(reported_nano_usd, computed_nano_usd, 0), ${tokens},
    reported_nano_usd IS NULL AND computed_nano_usd IS NULL
  FROM usage_statements AS counted
  WHERE counts = 1 AND occurred_at >= @sinceMs AND occurred_at < @untilMs ORDER BY occurred_at`;

/** Metrics count at the end of their minute, since nobody knows when in it, or now if that is earlier. */
const readings = `
  SELECT min((counted.minute + 1) * ${MINUTE_MS}, @untilMs) - 1, counted.key_id,
    counted.cost_nano_usd, ${tokens}, counted.unpriced_requests
  FROM ${metered}
  WHERE counted.minute >= @sinceMs / ${MINUTE_MS} AND counted.minute * ${MINUTE_MS} < @untilMs
    AND ${ofMetered({ since: 0, until: 0 })} ORDER BY counted.minute`;

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
  private readonly keys = new Map<number, Whose>();

  constructor(private readonly prepare: Prepare) {}

  /** Requests by the millisecond, metrics by the minute, in the order of time. */
  entries(sinceMs: number, untilMs: number): UsedAt[] {
    const range = { sinceMs, untilMs };
    const found = [...this.all(requests, range), ...this.all(readings, range)];
    return found.sort((a, b) => a.atMs - b.atMs);
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
    const sql = `SELECT ${at} * ${MINUTE_MS}, counted.key_id, ${amounts}
      FROM ${sumsCutAt([since, until])} ${withTheirKeys}
      WHERE ${minutesInRange} AND ${ofMinutes(everything)} GROUP BY ${groups}`;
    return this.all(sql, { since, until });
  }

  private all(sql: string, bind: object): UsedAt[] {
    // What does not fit a number exactly is beyond all limits, and stays at the largest that does.
    const rows = this.prepare<[object], Row>(sql).safeIntegers(false).raw().all(bind);
    return rows.map(([atMs, keyId, nanoUsd, tokens, unpriced]) => ({
      atMs,
      by: this.whose(keyId),
      nanoUsd: exact(nanoUsd),
      tokens: exact(tokens),
      unpricedRequests: exact(unpriced),
    }));
  }

  /** Of this snapshot alone: when the tables are built anew, ids are others. */
  private whose(keyId: number): Whose {
    const known = this.keys.get(keyId);
    if (known !== undefined) return known;
    const found = this.prepare<[number], Whose>(selectWhose).get(keyId);
    if (found === undefined) throw new Error(`There is no usage key ${keyId}.`);
    this.keys.set(keyId, found);
    return found;
  }
}

function exact(amount: number): number {
  return Math.min(amount, Number.MAX_SAFE_INTEGER);
}

import type { Database } from 'better-sqlite3';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import {
  neighboursOf,
  PAIRING_MS,
  standingsInTime,
  standingsOfOneRequest,
  type Source,
  type Standing,
  type Statement,
} from './usage-pairing.js';
import { reportedNanoUsd, requestAmounts, type CountedRequest } from './usage-sums.js';
import type { Sums } from './usage-totals.js';

/**
 * Every statement about a request, of telemetry and of transcripts. `counts` says which of them are
 * summed, under `counted_key_id`: its own key, but with the project that only its partner may tell.
 */
export const ledgerSchema = `
  CREATE TABLE usage_statements (
    id INTEGER PRIMARY KEY,
    usage_id TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    session_id TEXT NOT NULL,
    request TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('telemetry', 'transcript')),
    key_id INTEGER NOT NULL,
    counted_key_id INTEGER NOT NULL,
    counts INTEGER NOT NULL,
    partner INTEGER,
    occurred_at INTEGER NOT NULL,
    tier TEXT,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_creation_tokens INTEGER NOT NULL,
    cache_creation_1h_tokens INTEGER,
    reasoning_tokens INTEGER,
    reported_nano_usd INTEGER,
    computed_nano_usd INTEGER,
    price_version TEXT,
    corrections INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER
  ) STRICT;
  CREATE INDEX usage_statements_by_request ON usage_statements (request, agent, source, occurred_at);
  CREATE INDEX usage_statements_by_session ON usage_statements (session_id, agent);
  CREATE INDEX usage_statements_by_time ON usage_statements (occurred_at);`;

/** How many statements with equal token counts are looked at around one; only hostile ones have more. */
const NEIGHBOURS_MAX = 200;
const NEIGHBOURHOOD_MS = 20 * PAIRING_MS;

/** A request as one of the two sources tells it. */
export type Usage = Omit<
  DataOf<'UsageRecorded'>,
  'promptId' | 'attemptId' | 'thread' | 'subagentId' | 'subagentType' | 'timeToFirstTokenMs'
> & { readonly source: Source };
type Repriced = DataOf<'UsageRepriced'>;

interface Row extends CountedRequest {
  readonly id: number;
  readonly source: Source;
  readonly at: number;
  readonly counts: number;
  readonly partner: number | null;
  readonly keyId: number;
  readonly countedKeyId: number;
}

const columns = `id, source, occurred_at AS at, counts, partner, key_id AS keyId,
  counted_key_id AS countedKeyId, input_tokens AS inputTokens, output_tokens AS outputTokens,
  cache_read_tokens AS cacheReadTokens, cache_creation_tokens AS cacheCreationTokens,
  reasoning_tokens AS reasoningTokens, reported_nano_usd AS reportedNanoUsd,
  computed_nano_usd AS computedNanoUsd`;

/** Keeps the statements and, in `sums`, what those of them that count come to. */
export class UsageLedger {
  private readonly insert;
  private readonly hasOther;
  private readonly sameRequest;
  private readonly otherSourceNear;
  private readonly near;
  private readonly stand;
  private readonly byUsageId;
  private readonly reprice;

  constructor(
    db: Database,
    private readonly sums: Sums,
  ) {
    this.insert = db.prepare(
      `INSERT OR IGNORE INTO usage_statements (usage_id, agent, session_id, request, source, key_id,
        counted_key_id, counts, partner, occurred_at, tier, input_tokens, output_tokens,
        cache_read_tokens, cache_creation_tokens, cache_creation_1h_tokens, reasoning_tokens,
        reported_nano_usd, computed_nano_usd, price_version, duration_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, 1, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.hasOther = db
      .prepare<[string, string, number | bigint], number>(
        `SELECT 1 FROM usage_statements WHERE request = ? AND agent = ? AND id <> ? LIMIT 1`,
      )
      .pluck();
    this.sameRequest = db.prepare<[string, string], Row>(
      `SELECT ${columns} FROM usage_statements WHERE request = ? AND agent = ?`,
    );
    this.otherSourceNear = db
      .prepare<[string, string, Source, number, number], number>(
        `SELECT 1 FROM usage_statements
          WHERE request = ? AND agent = ? AND source = ? AND occurred_at BETWEEN ? AND ? LIMIT 1`,
      )
      .pluck();
    this.near = db.prepare<[string, string, number, number], Row>(
      `SELECT ${columns} FROM usage_statements
        WHERE request = ? AND agent = ? AND occurred_at BETWEEN ? AND ?
        ORDER BY occurred_at, id LIMIT ${NEIGHBOURS_MAX + 1}`,
    );
    this.stand = db.prepare<[number, number | null, number, number]>(
      'UPDATE usage_statements SET counts = ?, partner = ?, counted_key_id = ? WHERE id = ?',
    );
    this.byUsageId = db.prepare<[string], Row>(
      `SELECT ${columns} FROM usage_statements WHERE usage_id = ?`,
    );
    this.reprice = db.prepare<[number | null, string | null, number]>(
      `UPDATE usage_statements
        SET computed_nano_usd = ?, price_version = ?, corrections = corrections + 1 WHERE id = ?`,
    );
  }

  /**
   * A file's statement may come again, with others, when two read it at once: the first one counts.
   *
   * @param at milliseconds since 1970.
   */
  add(usageId: string, data: Usage, at: number): void {
    const { agent, sessionId, source } = data;
    const request = requestKeyOf(data);
    const keyId = this.sums.keyOfRequest(data);
    const reported = reportedNanoUsd(data);
    const { changes, lastInsertRowid } = this.insert.run(
      ...[usageId, agent, sessionId, request, source, keyId, keyId, at, data.tier],
      ...[data.inputTokens, data.outputTokens, data.cacheReadTokens, data.cacheCreationTokens],
      ...[data.cacheCreation1hTokens, data.reasoningTokens],
      ...[reported, data.computedNanoUsd, data.priceVersion, data.durationMs],
    );
    if (changes === 0) return;
    this.sums.add(keyId, at, requestAmounts({ ...data, reportedNanoUsd: reported }));
    // Nearly all are alone: the index tells that without a look at the rows.
    if (this.hasOther.get(request, agent, lastInsertRowid) === undefined) return;
    const rows = this.othersOf(data, request, at);
    if (rows.length < 2) return;
    const standings =
      data.requestId !== undefined && agent === 'claude-code'
        ? standingsOfOneRequest(rows.map(statementOf))
        : standingsInTime(neighboursOf(at, rows.map(statementOf)));
    this.settle(rows, standings);
  }

  /** What was computed by other prices is corrected; what was reported stays. */
  correct({ usageId, computedNanoUsd, priceVersion }: Repriced): void {
    const row = this.byUsageId.get(usageId);
    if (row === undefined) return;
    this.reprice.run(computedNanoUsd, priceVersion, row.id);
    if (row.counts === 0) return;
    this.sums.remove(row.countedKeyId, row.at, requestAmounts(row));
    this.sums.add(row.countedKeyId, row.at, requestAmounts({ ...row, computedNanoUsd }));
  }

  /** The statements that may be of the same request, the new one among them; none where it is alone. */
  private othersOf(data: Usage, request: string, at: number): Row[] {
    const { agent, source } = data;
    if (data.requestId !== undefined && agent === 'claude-code') {
      return this.sameRequest.all(request, agent);
    }
    const other = source === 'telemetry' ? 'transcript' : 'telemetry';
    const isNear = this.otherSourceNear.get(
      request,
      agent,
      other,
      at - PAIRING_MS,
      at + PAIRING_MS,
    );
    if (isNear === undefined) return [];
    const rows = this.near.all(request, agent, at - NEIGHBOURHOOD_MS, at + NEIGHBOURHOOD_MS);
    if (rows.length > NEIGHBOURS_MAX) return [];
    // A pair of which only one half is in sight is left alone.
    const seen = new Set(rows.map(({ id }) => id));
    return rows.filter(({ partner }) => partner === null || seen.has(partner));
  }

  /** Changes what is counted of these statements to how they now stand to each other. */
  private settle(rows: readonly Row[], standings: ReadonlyMap<number, Standing>): void {
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const row of rows) {
      const standing = standings.get(row.id);
      if (standing === undefined) continue;
      const { counts, partner } = standing;
      const other = partner === null ? undefined : byId.get(partner);
      const keyId =
        other === undefined ? row.keyId : this.sums.keyWithProjectOf(row.keyId, other.keyId);
      const isSame =
        counts === (row.counts === 1) && partner === row.partner && keyId === row.countedKeyId;
      if (isSame) continue;
      if (row.counts === 1) this.sums.remove(row.countedKeyId, row.at, requestAmounts(row));
      if (counts) this.sums.add(keyId, row.at, requestAmounts(row));
      this.stand.run(counts ? 1 : 0, partner, keyId, row.id);
    }
  }
}

function statementOf({ id, source, at, outputTokens }: Row): Statement {
  return { id, source, at, outputTokens };
}

/** What statements of one request have in common. Only Claude Code names its requests everywhere. */
function requestKeyOf(data: Usage): string {
  if (data.requestId !== undefined && data.agent === 'claude-code') return `id ${data.requestId}`;
  const { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens, sessionId } = data;
  const tokens = [inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens].join(' ');
  return `tokens ${tokens} of ${sessionId}`;
}

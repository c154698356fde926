import { Injectable } from '@nestjs/common';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import { formatUsd } from '#kernel/money.js';
import { limits } from '#kernel/limits.js';
import { ReadModels, type Prepare } from '#platform/read-models.js';
import type { CoveragePage, CoverageQuery, SessionCoverage } from './coverage.shapes.js';
import { SessionsQueries } from './sessions.queries.js';
import { statedTotalsProjection } from './stated-totals.projection.js';
import { usageProjection } from './usage.projection.js';
import {
  describeUsage,
  groupedSums,
  noSums,
  statementAmounts,
  type UsageSums,
} from './usage-sums.js';

type Told = 'both' | 'transcript' | 'telemetry';
type Group = UsageSums & { readonly told: Told };
type Sums = Readonly<Record<Told, UsageSums>>;

interface Gap extends UsageSums {
  readonly at: bigint;
  readonly model: string;
}
interface Stated {
  readonly at: bigint;
  readonly input: bigint;
  readonly output: bigint;
  readonly cacheRead: bigint;
  readonly cacheCreation: bigint;
  readonly cost: bigint | null;
}
interface Session {
  readonly agent: AgentName;
  readonly sessionId: string;
}

/**
 * Each request of a session once, with who told of it. Its amounts are those that are counted. A
 * request that two sessions tell of (a fork repeats what it began with) is known to both.
 */
const requestsOfSession = `
  SELECT CASE WHEN one.partner IS NULL THEN one.source ELSE 'both' END AS told, one.*
    FROM usage_statements AS one
    WHERE one.session_id = @sessionId AND one.agent = @agent AND one.counts = 1
  UNION ALL
  SELECT 'both', told.* FROM usage_statements AS one
    JOIN usage_statements AS told ON told.id = one.partner
    WHERE one.session_id = @sessionId AND one.agent = @agent AND one.counts = 0
      AND told.session_id <> one.session_id`;

const requestsOfAll = `
  SELECT CASE WHEN partner IS NULL THEN source ELSE 'both' END AS told, *
  FROM usage_statements WHERE counts = 1 AND (agent, session_id) IN (
    SELECT agent, session_id FROM usage_statements WHERE source = 'transcript')`;

const grouped = (requests: string) => `
  SELECT told, ${groupedSums}
  FROM (SELECT told, ${statementAmounts} FROM (${requests})) GROUP BY told`;

const models = [usageProjection, statedTotalsProjection];

@Injectable()
export class CoverageQueries {
  constructor(
    private readonly models: ReadModels,
    private readonly sessions: SessionsQueries,
  ) {}

  /** Sessions by their last activity, the newest first, each with its coverage. */
  list(query: CoverageQuery): CoveragePage {
    const { items, nextCursor } = this.sessions.list(query);
    return this.models.read(models, (prepare) => ({
      items: items.map(({ agent, sessionId }) => ({
        sessionId,
        agent,
        ...describeCoverage(sumsOfSession({ agent, sessionId }, prepare)),
      })),
      nextCursor,
      total: describeCoverage(sumsFrom(prepare<[], Group>(grouped(requestsOfAll)).all())),
    }));
  }

  /** @throws {Refusal} as `SessionsQueries.find`. */
  find(id: string, ofAgent?: AgentName): SessionCoverage {
    const { sessionId, agent } = this.sessions.find(id, ofAgent);
    const session = { sessionId, agent };
    return this.models.read(models, (prepare) => {
      const sums = sumsOfSession(session, prepare);
      const gaps = gapsOf(session, prepare);
      return {
        ...session,
        ...describeCoverage(sums),
        stated: describeStated(statedOf(session, prepare), sums),
        gaps: gaps.map(describeGap),
        moreGaps: Number(sums.transcript.requests) - gaps.length,
      };
    });
  }
}

function sumsOfSession(session: Session, prepare: Prepare): Sums {
  return sumsFrom(prepare<[Session], Group>(grouped(requestsOfSession)).all(session));
}

function sumsFrom(groups: readonly Group[]): Sums {
  const of = (told: Told) => groups.find((it) => it.told === told) ?? noSums;
  return { both: of('both'), transcript: of('transcript'), telemetry: of('telemetry') };
}

function gapsOf(session: Session, prepare: Prepare): Gap[] {
  const sql = `
    SELECT at, model, ${groupedSums} FROM (
      SELECT one.id, one.occurred_at AS at, key.model, ${statementAmounts}
      FROM usage_statements AS one JOIN usage_keys AS key ON key.id = one.key_id
      WHERE one.session_id = @sessionId AND one.agent = @agent
        AND one.counts = 1 AND one.source = 'transcript')
    GROUP BY at, id ORDER BY at, id LIMIT @limit`;
  return prepare<[object], Gap>(sql).all({ ...session, limit: limits.coverageGapsMax });
}

function statedOf(session: Session, prepare: Prepare): Stated | undefined {
  const sql = `
    SELECT stated_at AS at, input_tokens AS input, output_tokens AS output,
      cache_read_tokens AS cacheRead, cache_creation_tokens AS cacheCreation, cost_nano_usd AS cost
    FROM stated_totals WHERE agent = @agent AND session_id = @sessionId`;
  return prepare<[Session], Stated>(sql).get(session);
}

function describeCoverage({ both, transcript, telemetry }: Sums) {
  const stated = both.requests + transcript.requests;
  return {
    fromTranscript: stated > 0n,
    both: describeAmount(both),
    onlyTranscript: describeAmount(transcript),
    onlyTelemetry: describeAmount(telemetry),
    share: {
      requests: shareOf(both.requests, transcript.requests),
      tokens: shareOf(tokensOf(both), tokensOf(transcript)),
      // Where a price is missing the cost of a gap is not known, so neither is the share.
      cost: both.unpriced + transcript.unpriced > 0n ? null : shareOf(both.cost, transcript.cost),
    },
  };
}

function describeAmount(sums: UsageSums) {
  const { requests, costUsd, tokens } = describeUsage(sums);
  return { requests, tokens: fourKinds(tokens), costUsd };
}

function describeGap(gap: Gap) {
  const { tokens, costUsd } = describeAmount(gap);
  return { occurredAt: new Date(Number(gap.at)).toISOString(), model: gap.model, tokens, costUsd };
}

function describeStated(stated: Stated | undefined, { both, transcript, telemetry }: Sums) {
  if (stated === undefined) return null;
  const known = [both, transcript, telemetry];
  const beyond = (kind: 'input' | 'output' | 'cacheRead' | 'cacheCreation') =>
    Number(known.reduce((rest, sums) => rest - sums[kind], stated[kind]));
  const isPriced = stated.cost !== null && known.every(({ unpriced }) => unpriced === 0n);
  return {
    statedAt: new Date(Number(stated.at)).toISOString(),
    tokens: {
      input: Number(stated.input),
      output: Number(stated.output),
      cacheRead: Number(stated.cacheRead),
      cacheCreation: Number(stated.cacheCreation),
    },
    costUsd: stated.cost === null ? null : formatUsd(stated.cost),
    missing: {
      tokens: {
        input: beyond('input'),
        output: beyond('output'),
        cacheRead: beyond('cacheRead'),
        cacheCreation: beyond('cacheCreation'),
      },
      costUsd: isPriced
        ? formatUsd(known.reduce((rest, { cost }) => rest - cost, stated.cost))
        : null,
    },
  };
}

function fourKinds({
  input,
  output,
  cacheRead,
  cacheCreation,
}: ReturnType<typeof describeUsage>['tokens']) {
  return { input, output, cacheRead, cacheCreation };
}

function tokensOf({ input, output, cacheRead, cacheCreation }: UsageSums): bigint {
  return input + output + cacheRead + cacheCreation;
}

function shareOf(part: bigint, rest: bigint): number | null {
  const whole = part + rest;
  return whole === 0n ? null : Number(part) / Number(whole);
}

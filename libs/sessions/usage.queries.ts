import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { AgentName } from '#eventstore/vocabulary/session.events.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import { ReadModels } from '#platform/read-models.js';
import type { UsageItem, UsageQuery } from './sessions.shapes.js';
import { usageProjection } from './usage.projection.js';
import { describeUsage, groupedSums, type UsageSums } from './usage-sums.js';

const MINUTE_MS = 60_000;
const MINUTES_PER_HOUR = 60;
const MINUTES_PER_DAY = 1_440;

/** What each grouping takes as its key. Buckets of time are UTC. */
const keys = {
  minute: 'minute',
  hour: `minute / ${MINUTES_PER_HOUR} * ${MINUTES_PER_HOUR}`,
  day: `minute / ${MINUTES_PER_DAY} * ${MINUTES_PER_DAY}`,
  model: 'model',
  agent: 'agent',
  session: 'session_id',
} as const satisfies Record<UsageQuery['by'], string>;

/** Metrics count only in sessions that have no requests; see the projection. */
const countedRows = `
  FROM usage_by_minute AS counted
  WHERE minute >= @since AND minute < @until AND (source = 'requests' OR NOT EXISTS (
    SELECT 1 FROM usage_by_minute AS request
    WHERE request.agent = counted.agent AND request.session_id = counted.session_id
      AND request.source = 'requests'))`;

interface Range {
  readonly since: number;
  readonly until: number;
}
interface Group extends UsageSums {
  readonly key: bigint | string;
  readonly agent: AgentName | null;
}

/** The grouping is a part of it: the keys of one mean nothing to another. */
const cursorParts = (by: UsageQuery['by']) =>
  z.tuple([z.literal(by), z.union([z.string(), z.int()]), z.string()]);

@Injectable()
export class UsageQueries {
  constructor(private readonly models: ReadModels) {}

  /** Usage by time, model, agent or session, in the order of the key, with the total of the range. */
  list(query: UsageQuery) {
    const range = {
      since: query.since === undefined ? 0 : minuteOf(query.since),
      until: query.until === undefined ? Number.MAX_SAFE_INTEGER : minuteOf(query.until),
    };
    // One session id may be in use by several agents.
    const agent = query.by === 'session' ? 'agent' : 'NULL';
    const after =
      query.cursor === undefined ? undefined : decodeCursor(query.cursor, cursorParts(query.by));
    const page = `
      SELECT * FROM (
        SELECT ${keys[query.by]} AS key, ${agent} AS agent, ${groupedSums} ${countedRows}
        GROUP BY 1, 2)
      ${after === undefined ? '' : "WHERE (key, coalesce(agent, '')) > (@key, @keyAgent)"}
      ORDER BY key, agent LIMIT @limit`;
    const total = `SELECT ${groupedSums} ${countedRows}`;
    const [rows, sums] = this.models.read(usageProjection, (prepare) => [
      prepare<[object], Group>(page).all({
        ...range,
        limit: query.limit + 1,
        ...(after === undefined ? {} : { key: after[1], keyAgent: after[2] }),
      }),
      prepare<[Range], UsageSums>(total).get(range),
    ]);
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      items: shown.map(describe),
      nextCursor:
        rows.length > shown.length && last !== undefined
          ? encodeCursor([query.by, cursorKey(last.key), last.agent ?? ''])
          : null,
      total: sums === undefined ? undefined : describeUsage(sums),
    };
  }
}

function minuteOf(time: string): number {
  return Math.floor(Date.parse(time) / MINUTE_MS);
}

function cursorKey(key: bigint | string): number | string {
  return typeof key === 'bigint' ? Number(key) : key;
}

function describe(group: Group): UsageItem {
  const { key, agent } = group;
  return {
    key: typeof key === 'bigint' ? new Date(Number(key) * MINUTE_MS).toISOString() : key,
    ...(agent === null ? {} : { agent }),
    ...describeUsage(group),
  };
}

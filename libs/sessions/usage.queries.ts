import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import { decodeCursor, encodeCursor } from '#platform/cursor.js';
import { ReadModels, type Prepare } from '#platform/read-models.js';
import type { UsageCut, UsageItem, UsageQuery } from './sessions.shapes.js';
import { labelOf } from './usage-buckets.js';
import { keyColumns, type UsageFilter } from './usage-filter.js';
import { groupingOf, ungrouped, type Grouping } from './usage-grouping.js';
import { usageProjection } from './usage.projection.js';
import { addSums, describeUsage, groupedSums, noSums, type UsageSums } from './usage-sums.js';
import { MINUTE_MS } from './usage-totals.js';

type Key = bigint | string;

interface Group extends UsageSums {
  readonly key: Key;
  /** One session id may be in use by several agents; null in other groupings. */
  readonly agent: AgentName | null;
}
interface Part extends Group {
  readonly part: string;
}

/** The grouping is a part of it: the keys of one mean nothing to another. */
const cursorParts = (grouping: string) =>
  z.tuple([z.literal(grouping), z.union([z.string(), z.int()]), z.string()]);

@Injectable()
export class UsageQueries {
  constructor(private readonly models: ReadModels) {}

  /** Usage in groups, in the order of their key, with the total of the range. */
  list(query: UsageQuery) {
    const filter = filterOf(query);
    const listName = `${query.by} ${query.timezone}`;
    const after =
      query.cursor === undefined ? undefined : decodeCursor(query.cursor, cursorParts(listName));
    return this.models.read(usageProjection, (prepare) => {
      const grouping = groupingOf(query.by, query.timezone, filter, prepare);
      const rows = pageOf(query, grouping, after?.[1], after?.[2], prepare);
      const shown = rows.slice(0, query.limit);
      const last = shown.at(-1);
      const parts = query.breakdown === undefined ? [] : partsOf(query, grouping, shown, prepare);
      return {
        items: shown.map((group) => describe(group, query, grouping, parts)),
        nextCursor:
          rows.length > shown.length && last !== undefined
            ? encodeCursor([listName, cursorKey(last.key), last.agent ?? ''])
            : null,
        // One page that holds all groups needs no second look at their rows.
        total: describeUsage(
          after === undefined && rows.length === shown.length
            ? addSums(shown)
            : totalOf(filter, prepare),
        ),
      };
    });
  }
}

export function filterOf(query: Omit<UsageQuery, 'by' | 'limit' | 'timezone'>): UsageFilter {
  const { since, until, agent, session, provider, model, project, team, user, task } = query;
  return {
    since: since === undefined ? 0 : minuteOf(since),
    until: until === undefined ? Number.MAX_SAFE_INTEGER : minuteOf(until),
    ...{ agent, session, provider, model, project, team, user, task },
  };
}

function agentColumnOf(by: UsageCut): string {
  return by === 'session' ? 'key.agent' : 'NULL';
}

function pageOf(
  { by, limit }: UsageQuery,
  grouping: Grouping,
  key: string | number | undefined,
  keyAgent: string | undefined,
  prepare: Prepare,
): Group[] {
  const sql = `${grouping.before}
    SELECT * FROM (
      SELECT ${grouping.by} AS key, ${agentColumnOf(by)} AS agent, ${groupedSums}
      FROM ${grouping.from} GROUP BY 1, 2)
    ${key === undefined ? '' : "WHERE (key, coalesce(agent, '')) > (@key, @keyAgent)"}
    ORDER BY key, agent LIMIT @limit`;
  const page = key === undefined ? {} : { key, keyAgent };
  // One more than asked for tells whether there is a next page.
  return prepare<[object], Group>(sql).all({ ...grouping.bind, ...page, limit: limit + 1 });
}

/** The groups of a page, each cut once more. */
function partsOf(
  { by, breakdown }: UsageQuery,
  grouping: Grouping,
  groups: readonly Group[],
  prepare: Prepare,
): Part[] {
  const [first, last] = [groups[0], groups.at(-1)];
  if (breakdown === undefined || first === undefined || last === undefined) return [];
  const sql = `${grouping.before}
    SELECT ${grouping.by} AS key, ${agentColumnOf(by)} AS agent,
      ${keyColumns[breakdown]} AS part, ${groupedSums}
    FROM ${grouping.from} GROUP BY 1, 2, 3
    HAVING key >= @firstKey AND key <= @lastKey ORDER BY key, agent, part`;
  const page = { firstKey: first.key, lastKey: last.key };
  return prepare<[object], Part>(sql).all({ ...grouping.bind, ...page });
}

function totalOf(filter: UsageFilter, prepare: Prepare): UsageSums {
  const all = ungrouped(filter);
  const sql = `SELECT ${groupedSums} FROM ${all.from}`;
  return prepare<[object], UsageSums>(sql).get(all.bind) ?? noSums;
}

function describe(
  group: Group,
  { by, timezone, breakdown }: UsageQuery,
  { ends }: Grouping,
  parts: readonly Part[],
): UsageItem {
  const { key, agent } = group;
  const own = parts.filter((it) => it.key === key && it.agent === agent);
  return {
    ...(typeof key === 'bigint' ? describeTime(Number(key), by, timezone, ends) : { key }),
    ...(agent === null ? {} : { agent }),
    ...describeUsage(group),
    ...(breakdown === undefined
      ? {}
      : { parts: own.map((it) => ({ key: it.part, ...describeUsage(it) })) }),
  };
}

function describeTime(
  start: number,
  by: UsageCut,
  timezone: string,
  ends: ReadonlyMap<number, number>,
): Pick<UsageItem, 'key' | 'label' | 'endsAt'> {
  return {
    key: timeOf(start),
    label: labelOf(start, by, timezone),
    endsAt: timeOf(ends.get(start) ?? start + 1),
  };
}

function timeOf(minute: number): string {
  return new Date(minute * MINUTE_MS).toISOString();
}

function minuteOf(time: string): number {
  return Math.floor(Date.parse(time) / MINUTE_MS);
}

function cursorKey(key: Key): number | string {
  return typeof key === 'bigint' ? Number(key) : key;
}

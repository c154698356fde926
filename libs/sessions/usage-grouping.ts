import type { Prepare } from '#platform/read-models.js';
import { blocksOf } from './usage-blocks.js';
import { bucketsOf, type CalendarUnit } from './usage-buckets.js';
import {
  boundsOf,
  entries,
  keyColumns,
  minutes,
  minutesInRange,
  ofMinutes,
  sumsCutAt,
  withTheirKeys,
  type UsageFilter,
} from './usage-filter.js';
import { MINUTE_MS } from './usage-totals.js';
import type { UsageBreakdown, UsageCut } from './sessions.shapes.js';

/** A grouping as SQL: the rows to sum, what to group them by, and what to bind. */
export interface Grouping {
  /** Common table expressions, or nothing. */
  readonly before: string;
  readonly from: string;
  readonly by: string;
  readonly bind: Readonly<Record<string, string | number>>;
  /** Where each bucket of time ends, by its start, both in minutes. */
  readonly ends: ReadonlyMap<number, number>;
}

const DAY_MINUTES = 1_440;

export function groupingOf(
  by: UsageCut,
  timezone: string,
  filter: UsageFilter,
  prepare: Prepare,
): Grouping {
  switch (by) {
    case 'block':
      return byBlock(filter, prepare);
    case 'hour':
    case 'day':
    case 'week':
    case 'month':
      return byCalendar(by, timezone, filter, prepare);
    case 'minute':
      return { ...summedOf(filter, minutes), by: 'counted.minute' };
    default:
      return { ...ungrouped(filter), by: keyColumns[by satisfies UsageBreakdown] };
  }
}

/** All that is asked for, as one. */
export function ungrouped(filter: UsageFilter): Grouping {
  return summedOf(filter, sumsCutAt([filter.since, filter.until]));
}

function summedOf(filter: UsageFilter, sums: string): Grouping {
  const from = `${sums} ${withTheirKeys} WHERE ${minutesInRange} AND ${ofMinutes(filter)}`;
  return { before: '', from, by: 'NULL', bind: boundsOf(filter), ends: new Map() };
}

function byCalendar(
  unit: CalendarUnit,
  timezone: string,
  filter: UsageFilter,
  prepare: Prepare,
): Grouping {
  const buckets = bucketsOf(daysWithUsage(filter, prepare), unit, timezone);
  // Cut to what is asked for here: were both ranges a condition, the index could serve the wrong one.
  const rows = buckets.map(({ start, end }) => [
    start,
    Math.max(start, filter.since),
    Math.min(end, filter.until),
  ]);
  return {
    before: bucketsFrom('@buckets'),
    from: `bucket CROSS JOIN ${sumsCutAt(rows.flat())}
      ON counted.minute >= bucket.first AND counted.minute < bucket.next
      CROSS ${withTheirKeys} WHERE ${ofMinutes(filter)}`,
    by: 'bucket.start',
    bind: { ...boundsOf(filter), buckets: JSON.stringify(rows) },
    ends: new Map(buckets.map(({ start, end }) => [start, end])),
  };
}

/** The days (UTC, since 1970) in which anything was used, each found by one step in the index. */
function daysWithUsage({ since, until }: UsageFilter, prepare: Prepare): number[] {
  const firstDay = (from: string) =>
    `(SELECT minute / ${DAY_MINUTES} FROM usage_by_minute WHERE minute >= ${from}
      ORDER BY minute LIMIT 1)`;
  const sql = `
    WITH RECURSIVE day(number) AS (
      SELECT ${firstDay('@since')} UNION ALL
      SELECT ${firstDay(`(day.number + 1) * ${DAY_MINUTES}`)} FROM day
      WHERE day.number IS NOT NULL)
    SELECT number FROM day WHERE number * ${DAY_MINUTES} < @until`;
  const rows = prepare<[object], { number: bigint }>(sql).all({ since, until });
  return rows.map(({ number }) => Number(number));
}

/** A bucket is named by its start; what counts in it is from `first` up to and without `next`. */
function bucketsFrom(rows: string): string {
  return `WITH bucket AS MATERIALIZED (
    SELECT value ->> 0 AS start, value ->> 1 AS first, value ->> 2 AS next FROM json_each(${rows}))`;
}

function byBlock(filter: UsageFilter, prepare: Prepare): Grouping {
  const blocks = blocksOf(filter, prepare);
  const [since, until] = [filter.since * MINUTE_MS, filter.until * MINUTE_MS];
  const rows = blocks.map(({ start, first, next }) => [
    start,
    Math.max(first, since),
    Math.min(next, until),
  ]);
  const inBlocks = entries(filter, {
    columns: 'bucket.start AS start, ',
    from: 'bucket CROSS JOIN',
    requests: 'counted.occurred_at >= bucket.first AND counted.occurred_at < bucket.next',
    metered: `counted.minute >= (bucket.first + ${MINUTE_MS - 1}) / ${MINUTE_MS}
      AND counted.minute < (bucket.next + ${MINUTE_MS - 1}) / ${MINUTE_MS}`,
  });
  return {
    before: bucketsFrom('@blocks'),
    from: `(${inBlocks}) AS counted CROSS ${withTheirKeys}`,
    by: 'counted.start',
    bind: { ...boundsOf(filter), blocks: JSON.stringify(rows) },
    ends: new Map(blocks.map(({ start, end }) => [start, end])),
  };
}

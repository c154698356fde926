import type { UsageBreakdown } from './sessions.shapes.js';
import { statementAmounts, summing } from './usage-sums.js';
import { MINUTE_MS, QUARTER_MINUTES } from './usage-totals.js';

/** Which usage is asked for. `since` and `until` are whole minutes since 1970. */
export interface UsageFilter {
  readonly since: number;
  readonly until: number;
  readonly agent?: string | undefined;
  readonly session?: string | undefined;
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  readonly project?: string | undefined;
  readonly team?: string | undefined;
  readonly user?: string | undefined;
  readonly task?: string | undefined;
}

/** What usage can be cut by, and asked for, as it stands in `usage_keys`. */
export const keyColumns = {
  model: 'key.model',
  provider: 'key.provider',
  agent: 'key.agent',
  session: 'key.session_id',
  project: 'key.project',
  team: 'key.team',
  user: 'key.user_id',
  task: 'key.task_id',
} as const satisfies Record<UsageBreakdown, string>;

const cuts = Object.keys(keyColumns) as UsageBreakdown[];

/** What a statement with the conditions of a filter has to be given. */
export function boundsOf(filter: UsageFilter): Record<string, string | number> {
  const bounds = Object.entries(filter) as [string, string | number | undefined][];
  return Object.fromEntries(
    bounds.filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
}

/** The range of a filter on a column of time that counts in `unitMs`. */
function inRange(time: string, unitMs: number): string {
  const scale = MINUTE_MS / unitMs;
  return `${time} >= @since * ${scale} AND ${time} < @until * ${scale}`;
}

/** What else a filter asks for, on `key`. */
export function ofWhom(filter: UsageFilter): string {
  const asked = cuts.filter((cut) => filter[cut] !== undefined);
  return ['1', ...asked.map((cut) => `${keyColumns[cut]} = @${cut}`)].join(' AND ');
}

/** Metrics count only in sessions of which no request was ever seen. */
const countsAtAll = `(key.origin = 'requests' OR NOT EXISTS (
  SELECT 1 FROM usage_by_session AS told WHERE told.agent = key.agent
    AND told.session_id = key.session_id AND told.origin = 'requests' AND told.requests > 0))`;

/** Rows of sums by minute, to be joined with `key`. */
export const minutes = 'usage_by_minute AS counted';
const quarters = 'usage_by_quarter AS counted';

/**
 * The rows of sums to read where they are cut at these times: by quarter of an hour if each begins
 * one, since they are far fewer. Every day and hour does, in every time zone of today.
 */
export function sumsCutAt(times: readonly number[]): string {
  const wholeQuarters = times.every(
    (it) => it % QUARTER_MINUTES === 0 || it === Number.MAX_SAFE_INTEGER,
  );
  return wholeQuarters ? quarters : minutes;
}
export const withTheirKeys = 'JOIN usage_keys AS key ON key.id = counted.key_id';

export function ofMinutes(filter: UsageFilter): string {
  return `${ofWhom(filter)} AND ${countsAtAll}`;
}
export const minutesInRange = inRange('counted.minute', MINUTE_MS);

/** Requests that count, to the millisecond; to be joined with `key`. */
export const requests = `usage_statements AS counted
  CROSS JOIN usage_keys AS key ON key.id = counted.counted_key_id`;

export function ofRequests(filter: UsageFilter): string {
  return `counted.counts = 1 AND ${ofWhom(filter)}`;
}
export const requestsInRange = inRange('counted.occurred_at', 1);

/** Usage that only metrics tell, to the minute. */
export const metered = `${minutes} CROSS ${withTheirKeys}`;

export function ofMetered(filter: UsageFilter): string {
  return `key.origin = 'metrics' AND ${ofMinutes(filter)}`;
}

/**
 * Everything that counts, with the most exact time that is known of it: requests to the millisecond,
 * metrics to the minute. `cut` goes in front of both halves and gives each its range of time.
 */
export function entries(
  filter: UsageFilter,
  cut: { readonly columns: string; readonly from: string; requests: string; metered: string },
): string {
  const { columns, from } = cut;
  return `SELECT ${columns} counted.counted_key_id AS key_id, ${statementAmounts}
      FROM ${from} ${requests} WHERE ${cut.requests} AND ${ofRequests(filter)}
    UNION ALL
    SELECT ${columns} counted.key_id, ${summing.columns}
      FROM ${from} ${metered} WHERE ${cut.metered} AND ${ofMetered(filter)}`;
}

/** The entries of the range that is asked for. */
export function entriesInRange(filter: UsageFilter): string {
  const inTime = { requests: requestsInRange, metered: minutesInRange };
  return entries(filter, { columns: '', from: '', ...inTime });
}

import type { Prepare } from '#platform/read-models.js';
import {
  boundsOf,
  metered,
  ofMetered,
  ofRequests,
  requests,
  type UsageFilter,
} from './usage-filter.js';
import { MINUTE_MS } from './usage-totals.js';

const HOUR_MS = 60 * MINUTE_MS;
const BLOCK_MS = 5 * HOUR_MS;

/** Five hours of use. */
export interface Block {
  /** The hour (UTC) in which its first use lies, in minutes since 1970. */
  readonly start: number;
  readonly end: number;
  /** Its first use, and that of the block after it, in milliseconds since 1970. */
  readonly first: number;
  readonly next: number;
}

/**
 * The blocks of five hours that vendors count their limits in. A block starts with the hour (UTC) of
 * its first use. A new one begins with the first use that is more than five hours after that start;
 * so no pause inside one is longer than five hours. The chain begins with the first use of all,
 * whatever range is asked for, so that a block is the same in every answer.
 */
export function blocksOf(filter: UsageFilter, prepare: Prepare): Block[] {
  return [...blocksFrom(filter, prepare, -1)];
}

/**
 * The blocks one after another, each found when it is asked for.
 *
 * @param after the end of a block of this filter in milliseconds since 1970; -1 = from the first use.
 */
export function* blocksFrom(
  filter: UsageFilter,
  prepare: Prepare,
  after: number,
): Generator<Block> {
  const firstAfter = finderOf(filter, prepare);
  for (let first = firstAfter(after); first !== undefined;) {
    const start = Math.floor(first / HOUR_MS) * HOUR_MS;
    const next = firstAfter(start + BLOCK_MS);
    yield {
      start: start / MINUTE_MS,
      end: (start + BLOCK_MS) / MINUTE_MS,
      first,
      next: next ?? Number.MAX_SAFE_INTEGER,
    };
    first = next;
  }
}

/** Finds the first use after a time, by one step in the index of each table. */
function finderOf(filter: UsageFilter, prepare: Prepare): (after: number) => number | undefined {
  const request = `SELECT counted.occurred_at AS at FROM ${requests}
    WHERE counted.occurred_at > @after AND ${ofRequests(filter)}
    ORDER BY counted.occurred_at LIMIT 1`;
  const minute = `SELECT counted.minute * ${MINUTE_MS} AS at FROM ${metered}
    WHERE counted.minute > @after / ${MINUTE_MS} AND ${ofMetered(filter)}
    ORDER BY counted.minute LIMIT 1`;
  return (after) => {
    const bind = { ...boundsOf(filter), after };
    const found = [request, minute].flatMap((sql) =>
      prepare<[object], { at: bigint }>(sql)
        .all(bind)
        .map(({ at }) => Number(at)),
    );
    return found.length === 0 ? undefined : Math.min(...found);
  };
}

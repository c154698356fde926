import { limits } from '#kernel/limits.js';
import {
  scopesOf,
  type Spent,
  type SpendReader,
  type SpentAt,
  type SpentBy,
} from './spend-source.js';
import type { Range } from './touched.js';
import { SLIDING_MS, type Window } from './windows.js';

const DAY_MS = 86_400_000;
const QUARTER_MS = 15 * 60_000;

type ByScope = ReadonlyMap<string, Spent>;

export const nothingSpent: Spent = { nanoUsd: 0, tokens: 0, unpricedRequests: 0 };

/**
 * What long windows hold. Their past is summed once, by days, and remembered until something is told
 * that lies in it; only what is younger than some ten minutes is read each time.
 */
export class RunningSums {
  private readonly days = new Map<string, ByScope>();
  private scopes: ReadonlySet<string> = new Set();

  /** Whose sums are kept. */
  watch(scopes: ReadonlySet<string>): void {
    const isKnown = [...scopes].every((it) => this.scopes.has(it));
    if (isKnown) return;
    this.days.clear();
    this.scopes = scopes;
  }

  /** What is remembered of these times holds no longer. */
  forget(ranges: readonly Range[]): void {
    for (const name of this.days.keys()) {
      const [startMs = 0, endMs = 0] = name.split(' ').map(Number);
      const isTouched = ranges.some(({ fromMs, toMs }) => toMs >= startMs && fromMs < endMs);
      if (isTouched) this.days.delete(name);
    }
  }

  /** The ranges of the past that these windows need and that are not remembered. */
  missing(starts: readonly number[], firstMs: number | undefined, nowMs: number): Window[] {
    const ranges = starts.flatMap((startMs) => pastOf(startMs, firstMs, cutAt(nowMs)));
    const named = new Map(ranges.map((it) => [nameOf(it), it]));
    return [...named].filter(([name]) => !this.days.has(name)).map(([, range]) => range);
  }

  load(reader: SpendReader, range: Window): ByScope {
    const sums = new Map<string, Spent>();
    const rows = reader.sums(range.startMs, range.endMs ?? Infinity);
    const wanted = wantedScopes(this.scopes);
    for (const row of rows) {
      for (const scope of wanted(row.by)) {
        sums.set(scope, addUp(sums.get(scope) ?? nothingSpent, row));
      }
    }
    if (this.days.size >= limits.spendSegmentsMax) {
      for (const oldest of this.days.keys()) {
        this.days.delete(oldest);
        break;
      }
    }
    this.days.set(nameOf(range), sums);
    return sums;
  }

  /** A look at the windows of one moment: the young part is read once for all of them. */
  look(reader: SpendReader, nowMs: number): (scope: string, window: Window) => Spent {
    const cutMs = cutAt(nowMs);
    const firstMs = reader.firstMs();
    const young = rowsByScope(reader.quarters(cutMs), this.scopes);
    const pasts = new Map<number, readonly ByScope[]>();
    const pastSums = (startMs: number): readonly ByScope[] => {
      const known = pasts.get(startMs);
      if (known !== undefined) return known;
      const sums = pastOf(startMs, firstMs, cutMs).map(
        (it) => this.days.get(nameOf(it)) ?? this.load(reader, it),
      );
      pasts.set(startMs, sums);
      return sums;
    };
    return (scope, { startMs, endMs }) => {
      const parts = pastSums(startMs).flatMap((sums) => sums.get(scope) ?? []);
      const own = (young.get(scope) ?? []).filter(
        ({ atMs }) => atMs >= startMs && (endMs === null || atMs < endMs),
      );
      return [...parts, ...own].reduce(addUp, nothingSpent);
    };
  }
}

/** Nothing that is younger is remembered: what comes in now is told to be a little old. */
function cutAt(nowMs: number): number {
  const cutMs = nowMs - limits.budgetLateMs - SLIDING_MS;
  return cutMs - (cutMs % QUARTER_MS);
}

/** A window's past, up to the cut, by days. */
function pastOf(startMs: number, firstMs: number | undefined, cutMs: number): Window[] {
  const ranges: Window[] = [];
  if (firstMs === undefined) return ranges;
  const firstDayMs = firstMs - (firstMs % DAY_MS);
  let atMs = Math.max(startMs, firstDayMs);
  while (atMs < cutMs) {
    const endMs = Math.min(atMs - (atMs % DAY_MS) + DAY_MS, cutMs);
    ranges.push({ startMs: atMs, endMs });
    atMs = endMs;
  }
  return ranges;
}

function nameOf({ startMs, endMs }: Window): string {
  return `${startMs} ${endMs ?? ''}`;
}

/** The rows that count for each of these scopes. */
export function rowsByScope(
  rows: readonly SpentAt[],
  scopes: ReadonlySet<string>,
): ReadonlyMap<string, readonly SpentAt[]> {
  const found = new Map<string, SpentAt[]>([...scopes].map((scope) => [scope, []]));
  const wanted = wantedScopes(scopes);
  for (const row of rows) {
    for (const scope of wanted(row.by)) found.get(scope)?.push(row);
  }
  return found;
}

/** Tells which of these scopes something counts for; worked out once for all that is of the same. */
function wantedScopes(scopes: ReadonlySet<string>): (by: SpentBy) => readonly string[] {
  const known = new Map<SpentBy, readonly string[]>();
  return (by) => {
    const before = known.get(by);
    if (before !== undefined) return before;
    const wanted = scopesOf(by).filter((it) => scopes.has(it));
    known.set(by, wanted);
    return wanted;
  };
}

/** Sums stay at the largest that a number holds exactly. */
export function addUp(a: Spent, b: Spent): Spent {
  const sum = (one: number, other: number): number =>
    Math.min(one + other, Number.MAX_SAFE_INTEGER);
  return {
    nanoUsd: sum(a.nanoUsd, b.nanoUsd),
    tokens: sum(a.tokens, b.tokens),
    unpricedRequests: sum(a.unpricedRequests, b.unpricedRequests),
  };
}

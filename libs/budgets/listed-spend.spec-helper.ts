import { Refusal } from '#kernel/refusal.js';
import { SpendSource, scopesOf, type SpendReader, type SpentAt } from './spend-source.js';

/** For specifications: spending that stands in a list. */
export class ListedSpend extends SpendSource {
  readonly list: SpentAt[] = [];
  /** While it is not, nobody knows what was spent. */
  isReady = true;

  override reached(): Promise<void> {
    return this.isReady ? Promise.resolve() : Promise.reject(notReady());
  }

  override read<Result>(query: (reader: SpendReader) => Result): Result {
    if (!this.isReady) throw notReady();
    const within = (sinceMs: number, untilMs: number) =>
      this.list
        .filter(({ atMs }) => atMs >= sinceMs && atMs < untilMs)
        .sort((a, b) => a.atMs - b.atMs);
    return query({
      entries: within,
      sums: within,
      quarters: (sinceMs) => within(sinceMs, Infinity),
      firstMs: () => within(0, Infinity)[0]?.atMs,
      blockAt: () => undefined,
      momentOf: () => undefined,
      hasSeen: (scope) => this.list.some((row) => scopesOf(row.by).includes(scope)),
      hasMetrics: () => false,
    });
  }
}

function notReady(): Refusal {
  return new Refusal('READ_MODEL_BUILDING', 'The read model is being rebuilt.');
}

export function spentAt(atMs: number, nanoUsd: number): SpentAt {
  const nobody = { project: '', team: '', user: '', task: '' };
  const by = { agent: 'codex', session: 's', model: 'm', ...nobody };
  return { atMs, nanoUsd, tokens: 0, unpricedRequests: 0, by };
}

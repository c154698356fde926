import {
  SpendSource,
  type Block,
  type SpendReader,
  type SpentAt,
} from '#libs/budgets/spend-source.js';
import type { SpendQueries, SpendSnapshot } from '#libs/sessions/spend.queries.js';

/** Budgets count what usage tells: the two contexts meet here. */
export class SpendOfUsage extends SpendSource {
  constructor(private readonly queries: SpendQueries) {
    super();
  }

  override reached(position: bigint): Promise<void> {
    return this.queries.reached(position);
  }

  override read<Result>(query: (reader: SpendReader) => Result): Result {
    return this.queries.read((snapshot) => query(new Reader(snapshot)));
  }
}

const cuts = ['agent', 'session', 'model', 'project', 'team', 'user', 'task'] as const;
type Cut = (typeof cuts)[number];

class Reader implements SpendReader {
  constructor(private readonly snapshot: SpendSnapshot) {}

  entries(sinceMs: number, untilMs: number): readonly SpentAt[] {
    return this.snapshot.entries(sinceMs, untilMs);
  }

  sums(sinceMs: number, untilMs: number): readonly SpentAt[] {
    return this.snapshot.sums(sinceMs, untilMs);
  }

  quarters(sinceMs: number): readonly SpentAt[] {
    return this.snapshot.quarters(sinceMs);
  }

  firstMs(): number | undefined {
    return this.snapshot.firstMs();
  }

  blockAt(scope: string, atMs: number, afterMs: number): Block | undefined {
    const cut = cutOf(scope);
    return this.snapshot.blockAt(cut === undefined ? {} : { [cut.by]: cut.name }, atMs, afterMs);
  }

  momentOf(usageId: string): number | undefined {
    return this.snapshot.momentOf(usageId);
  }

  hasSeen(scope: string): boolean {
    const cut = cutOf(scope);
    return cut === undefined || this.snapshot.hasSeen(cut.by, cut.name);
  }

  hasMetrics(agent: string, session: string): boolean {
    return this.snapshot.hasMetrics(agent, session);
  }
}

/** `team:core` as usage knows it; undefined of `all`. */
function cutOf(scope: string): { readonly by: Cut; readonly name: string } | undefined {
  const colon = scope.indexOf(':');
  const by = cuts.find((cut) => cut === scope.slice(0, colon));
  return by && { by, name: scope.slice(colon + 1) };
}

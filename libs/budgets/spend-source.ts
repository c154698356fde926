/**
 * Where budgets learn what was spent: the same tables that tell usage, so that both say one thing. A
 * context imports no other, so whoever starts the server joins them.
 */

/** Whose it is; what was not told is ''. */
export interface SpentBy {
  readonly agent: string;
  readonly session: string;
  readonly model: string;
  readonly project: string;
  readonly team: string;
  readonly user: string;
  readonly task: string;
}

export interface Spent {
  readonly nanoUsd: number;
  readonly tokens: number;
  /** Requests whose cost nobody knows: `nanoUsd` lacks them. */
  readonly unpricedRequests: number;
}

/** Spending at a moment, or in the minutes that begin with it. Milliseconds since 1970. */
export interface SpentAt extends Spent {
  readonly atMs: number;
  /** The same object for all that is read at once of the same. */
  readonly by: SpentBy;
}

export interface Block {
  readonly startMs: number;
  readonly endMs: number;
}

/** Reads one snapshot; not to be kept. Ranges are from and without `until`. */
export interface SpendReader {
  /** Everything that counts, in the order of time: requests by the millisecond, metrics by the minute. */
  entries(sinceMs: number, untilMs: number): readonly SpentAt[];
  /** Sums of a range of whole minutes, by whose they are; `atMs` is where the range begins. */
  sums(sinceMs: number, untilMs: number): readonly SpentAt[];
  /** All from a quarter of an hour on, by quarters of an hour and by whose it is. */
  quarters(sinceMs: number): readonly SpentAt[];
  /** When the first of all spending was; undefined = there is none. */
  firstMs(): number | undefined;
  /**
   * The last block of five hours of a scope that begins at a moment or before.
   *
   * @param afterMs to begin from: the end of a block of the scope, or a later time up to which nothing
   *   was spent since; -1 = the beginning
   */
  blockAt(scope: string, atMs: number, afterMs: number): Block | undefined;
  /** When a request was that is told of by its usage id. */
  momentOf(usageId: string): number | undefined;
  /** Whether anything of a scope was ever seen. */
  hasSeen(scope: string): boolean;
  /** Whether a session's counters were read: its first request makes them count no longer. */
  hasMetrics(agent: string, session: string): boolean;
}

/** A class, so that it is its own injection token. */
export abstract class SpendSource {
  /**
   * Waits until what the log tells up to a position counts.
   *
   * @throws {Refusal} `READ_MODEL_BUILDING` when it does not in time
   */
  abstract reached(position: bigint): Promise<void>;

  /** @throws {Refusal} `READ_MODEL_BUILDING` */
  abstract read<Result>(query: (reader: SpendReader) => Result): Result;
}

/** What is being spent that nobody has told of yet. */
export abstract class EstimatedSpend {
  /** Of a scope from and without `untilMs`, in nano-dollars. */
  abstract nanoUsd(scope: string, sinceMs: number, untilMs: number): number;
}

/** Nothing is estimated. */
export class NoEstimate extends EstimatedSpend {
  override nanoUsd(): number {
    return 0;
  }
}

/** The scopes that spending counts for. */
export function scopesOf(by: SpentBy): string[] {
  const { agent, session, model, project, team, user, task } = by;
  const named = { agent, session, model, project, team, user, task };
  const own = Object.entries(named).filter(([, name]) => name !== '');
  return ['all', ...own.map(([kind, name]) => `${kind}:${name}`)];
}

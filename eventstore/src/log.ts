import type { NewEvent, RecordedEvent } from '#kernel/event.js';

/**
 * The version a stream must be at for an append to succeed (0 = it has no events yet), or `any`
 * for facts, which are appended whatever came before them.
 */
export type ExpectedVersion = number | 'any';

/** What became of one event of an append. */
export interface Appended {
  readonly id: string;
  readonly version: number;
  readonly position: bigint;
  /** True when the log held this id already: position and version are those of the first time. */
  readonly duplicate: boolean;
}

export interface FollowOptions {
  /** Ends the iteration when aborted. */
  readonly signal: AbortSignal;
  readonly batchEvents?: number;
  /** Only events of these types; undefined = all. What is left out is passed over without being read. */
  readonly types?: readonly string[];
  /**
   * Ends the iteration once all up to this position, which the log holds, was given out. The last batch
   * may go beyond: whoever reads on begins behind the later of the two.
   */
  readonly until?: bigint;
}

/**
 * The port of the log: three verbs and where its end is.
 *
 * An abstract class rather than an interface so that it can be its own injection token.
 */
export abstract class EventLog {
  /**
   * Appends all of the events or none of them. Resolves when they are durable.
   *
   * An id that the log holds already is skipped, wherever it stands. When every id is known nothing
   * is written and `expected` is not looked at, so that a retry of a lost answer succeeds.
   *
   * @throws {LogError} `VERSION_CONFLICT` when the stream is not at `expected`, `INVALID_EVENT` when
   *   an event breaks its schema, `LOG_UNAVAILABLE` when the disk or a competing writer refused; in
   *   each case nothing of this append was written.
   */
  abstract append(
    stream: string,
    expected: ExpectedVersion,
    events: readonly NewEvent[],
  ): Promise<Appended[]>;

  /** Events of one stream with a version above `afterVersion`, in order, at most `limit`. */
  abstract read(stream: string, afterVersion: number, limit: number): Promise<RecordedEvent[]>;

  /**
   * All events after a position (0n = from the beginning), in order, in batches, without gap or
   * repeat, and then those that are still to come, until aborted. Holds no lock between batches.
   */
  abstract follow(after: bigint, options: FollowOptions): AsyncIterable<RecordedEvent[]>;

  /** The position of the last event, 0n while there is none. */
  abstract head(): Promise<bigint>;

  /** Waits for appends under way, then releases the file. Further calls fail. */
  abstract close(): Promise<void>;
}

export type LogErrorCode =
  'VERSION_CONFLICT' | 'INVALID_EVENT' | 'LOG_UNAVAILABLE' | 'LOG_TOO_NEW' | 'LOG_UNUSABLE';

/** Why the log refused. The message says what happened and what to do about it. */
export class LogError extends Error {
  override readonly name = 'LogError';

  constructor(
    readonly code: LogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function isLogError(error: unknown, code?: LogErrorCode): error is LogError {
  return error instanceof LogError && (code === undefined || error.code === code);
}

/**
 * The envelope every event travels in. Shapes only: what the data of each type looks like is the
 * vocabulary's business (eventstore/vocabulary).
 */

/** Who or what an event comes from, and when it happened as opposed to when it was recorded. */
export interface EventMetadata {
  /** Who caused it: `agent:claude-code`, `operator:cli`, `policy:burn-rate`. */
  readonly actor: string;
  /** Where it came in: `claude-code/2.1.329 logs`. */
  readonly source: string;
  /** ISO-8601 UTC, by the clock of the one it happened to. */
  readonly occurredAt: string;
  readonly correlationId?: string;
  readonly causationId?: string;
}

/** What happened, apart from who says so and when. */
export interface Fact<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** An event that wants to be appended. */
export interface NewEvent<Type extends string = string, Data = unknown> extends Fact<Type, Data> {
  /** A UUID. Appending an id that the log already holds changes nothing, for ever. */
  readonly id: string;
  readonly metadata: EventMetadata;
}

/** An event that the log holds. */
export interface RecordedEvent<Type extends string = string, Data = unknown> extends NewEvent<
  Type,
  Data
> {
  readonly stream: string;
  /** 1 for the first event of its stream, then without a gap. */
  readonly version: number;
  /** Increases from event to event over the whole log. Opaque: compare it, never count with it. */
  readonly position: bigint;
  /** The version of the schema that `data` follows after upcasting: always the current one. */
  readonly schemaVersion: number;
  readonly metadata: EventMetadata & {
    /** ISO-8601 UTC, by the clock of the log. */
    readonly recordedAt: string;
  };
}

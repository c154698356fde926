import type { DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Export } from './otlp.records.js';

/** An event that is ready but for what only the edge may do: redact it and store its content. */
export interface Draft {
  /** The stream comes from `data` after redaction, so that no secret can hide in a stream's name. */
  readonly event: DomainEvent;
  /** Prompt, answer or tool input and output, present only where the sender included it. */
  readonly content?: string;
}

/** A record whose name no translator knows. */
export interface Unrecognised {
  readonly name: string;
  readonly clientVersion: string;
  readonly record: unknown;
  readonly occurredAt: string;
}

/** What one export says, and what was left out and why. */
export interface Translation {
  readonly drafts: readonly Draft[];
  /** Known chatter by name: the names are a closed set, so that they can be metric labels. */
  readonly noise: ReadonlyMap<string, number>;
  readonly unrecognised: readonly Unrecognised[];
  /** Records that claim to be something known and are not: goes into OTLP's partial success. */
  readonly rejected: number;
  readonly rejectedBecause: string;
}

/** One per agent, pure. Picks the agent's own records out of an export. */
export interface Translator {
  readonly agent: string;
  /** Values of the resource attribute `service.name` that the agent's programs send. */
  readonly serviceNames: readonly string[];
  translate(batch: Export, receivedAt: string): Translation;
}

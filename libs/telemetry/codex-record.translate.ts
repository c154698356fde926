import { attributionOf, eventIdOf, fingerprintOf, identifierOf } from './attributes.translate.js';
import type { Attribution, Clock } from './attributes.translate.js';
import type { Attributes, LogRecord } from './otlp.records.js';
import type { Draft } from './translation.js';
import { clientVersionOf, UNATTRIBUTED } from './translator.translate.js';

/** What all records of Codex have in common. */

export const AGENT = 'codex';

/** One log record and what was made of the attributes that all kinds share. */
export interface Report {
  readonly attributes: Attributes;
  readonly session: { readonly agent: 'codex'; readonly sessionId: string };
  readonly attribution: Attribution;
  readonly model: string;
  readonly clientVersion: string | undefined;
  readonly occurredAt: string;
  readonly source: string;
  readonly unixNano: bigint;
}

/**
 * What becomes of a record: an event, noise (of a closed set of names), or in words why it is not
 * what it claims to be.
 */
export type Result =
  { readonly draft: Draft } | { readonly noise: string } | { readonly reason: string };

export function reportOf(record: LogRecord, clock: Clock): Report {
  const { origin, attributes } = record;
  const clientVersion = clientVersionOf(origin);
  const sessionId = identifierOf(attributes['conversation.id']) ?? UNATTRIBUTED;
  return {
    attributes,
    session: { agent: AGENT, sessionId },
    attribution: attributionOf(attributes, origin.resource),
    model: identifierOf(attributes['model']) ?? 'unknown',
    clientVersion,
    source: `${AGENT}/${clientVersion ?? 'unknown'} logs`,
    occurredAt: occurredAtOf(record, clock),
    unixNano: unixNanoOf(record),
  };
}

/**
 * By all that the record says: Codex gives its model requests no id that its transcript or another
 * record shares. The time has nanoseconds, so that two requests that cost the same stay two.
 */
export function idOf({ attributes, session, unixNano }: Report, kind: string): string {
  return eventIdOf(kind, AGENT, session.sessionId, 'record', fingerprintOf(unixNano, attributes));
}

export function occurredAtOf(record: LogRecord, clock: Clock): string {
  return clock.occurredAt(unixNanoOf(record), record.attributes['event.timestamp']);
}

/** Codex leaves the time of a log record out and tells when it was observed. */
function unixNanoOf({ timeUnixNano, observedTimeUnixNano }: LogRecord): bigint {
  return timeUnixNano === 0n ? observedTimeUnixNano : timeUnixNano;
}

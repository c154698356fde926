import type { DataOf, DomainEvent, EventType } from '#eventstore/vocabulary/vocabulary.js';
import { attributionOf, eventIdOf, fingerprintOf, identifierOf } from './attributes.translate.js';
import type { Attribution, Clock } from './attributes.translate.js';
import type { Attributes, LogRecord, Origin } from './otlp.records.js';
import type { Draft } from './translation.js';

/** What all records of Codex have in common. */

export const AGENT = 'codex';

/** Where spend goes that names no session: it counts, though nobody knows whose it is. */
const UNATTRIBUTED = 'unattributed';

/** One log record and what was made of the attributes that all kinds share. */
export interface Report {
  readonly attributes: Attributes;
  readonly session: { readonly agent: 'codex'; readonly sessionId: string };
  readonly attribution: Attribution;
  readonly model: string;
  readonly clientVersion: string | undefined;
  readonly occurredAt: string;
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
  const sessionId = identifierOf(attributes['conversation.id']) ?? UNATTRIBUTED;
  return {
    attributes,
    session: { agent: AGENT, sessionId },
    attribution: attributionOf(attributes, origin.resource),
    model: identifierOf(attributes['model']) ?? 'unknown',
    clientVersion: clientVersionOf(origin),
    occurredAt: occurredAtOf(record, clock),
    unixNano: unixNanoOf(record),
  };
}

export function draftOf<Type extends EventType>(
  report: Report,
  type: Type,
  id: string,
  data: DataOf<Type>,
  content?: string,
): Draft {
  const { taskId } = report.attribution;
  const event = {
    id,
    type,
    data,
    metadata: {
      actor: `agent:${AGENT}`,
      source: `${AGENT}/${report.clientVersion ?? 'unknown'} logs`,
      occurredAt: report.occurredAt,
      ...(taskId !== undefined && { correlationId: taskId }),
    },
    // The compiler cannot see that type and data belong together once both are generic.
  } as unknown as DomainEvent;
  return content === undefined ? { event } : { event, content };
}

/**
 * By all that the record says: Codex gives its model requests no id that its transcript or another
 * record shares. The time has nanoseconds, so that two requests that cost the same stay two.
 */
export function idOf({ attributes, session, unixNano }: Report, kind: string): string {
  return eventIdOf(kind, AGENT, session.sessionId, 'record', fingerprintOf(unixNano, attributes));
}

export function clientVersionOf({ resource, scopeVersion }: Origin): string | undefined {
  return identifierOf(resource['service.version']) ?? identifierOf(scopeVersion);
}

export function occurredAtOf(record: LogRecord, clock: Clock): string {
  return clock.occurredAt(unixNanoOf(record), record.attributes['event.timestamp']);
}

/** Codex leaves the time of a log record out and tells when it was observed. */
function unixNanoOf({ timeUnixNano, observedTimeUnixNano }: LogRecord): bigint {
  return timeUnixNano === 0n ? observedTimeUnixNano : timeUnixNano;
}

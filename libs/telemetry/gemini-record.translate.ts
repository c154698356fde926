import { attributionOf, eventIdOf, fingerprintOf, identifierOf } from './attributes.translate.js';
import type { Attribution, Clock } from './attributes.translate.js';
import type { Attributes, Origin, Signal } from './otlp.records.js';
import { UNATTRIBUTED } from './translator.translate.js';

/** What all records of Gemini CLI have in common. */

export const AGENT = 'gemini';

/** What its own events and metrics are called by, before the name. */
export const PREFIX = 'gemini_cli.';

/**
 * The client does not tell its version: its `service.version` is that of the Node it runs on.
 */
export const CLIENT_VERSION = '';

/** One record and what was made of the attributes that all kinds share. */
export interface Report {
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly session: { readonly agent: 'gemini'; readonly sessionId: string };
  readonly attribution: Attribution;
  readonly provider: string;
  readonly model: string;
  readonly occurredAt: string;
  readonly unixNano: bigint;
  readonly source: string;
}

interface Recorded {
  readonly origin: Origin;
  readonly attributes: Attributes;
}

export function reportOf(
  signal: Signal,
  { origin: { resource }, attributes }: Recorded,
  unixNano: bigint,
  clock: Clock,
): Report {
  const sessionId = identifierOf(attributes['session.id']) ?? identifierOf(resource['session.id']);
  return {
    attributes,
    resource,
    session: { agent: AGENT, sessionId: sessionId ?? UNATTRIBUTED },
    attribution: attributionOf(attributes, resource),
    provider: attributes['auth_type'] === 'vertex-ai' ? 'vertex-ai' : 'google',
    model: identifierOf(attributes['model']) ?? 'unknown',
    occurredAt: clock.occurredAt(unixNano, attributes['event.timestamp']),
    unixNano,
    source: `${AGENT}/unknown ${signal}`,
  };
}

/** By all that the record says: no record of this client has a key of its own. */
export function idOf({ attributes, session, unixNano }: Report, kind: string): string {
  return eventIdOf(kind, AGENT, session.sessionId, 'record', fingerprintOf(unixNano, attributes));
}

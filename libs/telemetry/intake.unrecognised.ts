import { v5 } from 'uuid';
import { limits } from '#kernel/limits.js';
import type { DomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import type { Draft, Unrecognised } from './translation.js';
import type { Export, Signal } from './otlp.records.js';

const NAMESPACE = '5f0f2c0b-6a43-4b0e-9d53-0c6f5f1c9a3e';
const UNNAMED = '(unnamed)';
/** Redaction shortens text, so it gets more than is kept and the cut comes last. */
const CHARACTERS_BEFORE_REDACTION = 4 * limits.unrecognisedSampleBytesMax;

/** A record that no translator knows, and whose it is. */
export interface Stranger extends Unrecognised {
  readonly agent: string;
  readonly signal: Signal;
}

type UnrecognisedEvent = Extract<DomainEvent, { type: 'TelemetryUnrecognised' }>;

/**
 * Remembers which unknown names were kept already, so that each becomes one event and the rest is
 * only counted. Bounded, for names come from senders.
 */
export class UnrecognisedNames {
  private readonly known = new Set<string>();

  constructor(private readonly redact: (draft: Draft) => Draft) {}

  /** Events for those that are new, so many at most, by what makes them so. They count as new until `remember` hears they are durable. */
  eventsOf(
    strangers: readonly Stranger[],
    eventsMax: number,
  ): ReadonlyMap<string, UnrecognisedEvent> {
    const events = new Map<string, UnrecognisedEvent>();
    const outlines = new Map<object, unknown>();
    for (const stranger of strangers) {
      const room = limits.unrecognisedNamesMax - this.known.size - events.size;
      if (room <= 0 || events.size >= eventsMax) break;
      const { agent, signal, name, clientVersion } = stranger;
      const key = JSON.stringify([agent, signal, name, clientVersion].map(identifier));
      if (!this.known.has(key) && !events.has(key)) {
        events.set(key, this.eventOf(v5(key, NAMESPACE), stranger, outlines));
      }
    }
    return events;
  }

  remember(events: ReadonlyMap<string, UnrecognisedEvent>): void {
    for (const key of events.keys()) this.known.add(key);
  }

  private eventOf(
    id: string,
    { agent, signal, name, clientVersion, record, occurredAt }: Stranger,
    outlines: Map<object, unknown>,
  ): UnrecognisedEvent {
    const sample = JSON.stringify(outline(record, outlines)) as string | undefined;
    // Redaction comes before anything is cut or replaced: half a secret is no longer seen as one.
    const told: UnrecognisedEvent = {
      id,
      type: 'TelemetryUnrecognised',
      data: {
        agent: beforeRedaction(agent),
        signal,
        name: beforeRedaction(name),
        clientVersion: beforeRedaction(clientVersion),
        sample: beforeRedaction(sample ?? ''),
      },
      metadata: { actor: '', source: '', occurredAt },
    };
    const { data } = this.redact({ event: told }).event as UnrecognisedEvent;
    const safeAgent = streamSafe(data.agent);
    return {
      ...told,
      data: {
        agent: safeAgent,
        signal,
        name: identifier(data.name) || UNNAMED,
        clientVersion: identifier(data.clientVersion),
        sample: cutToBytes(data.sample),
      },
      metadata: { actor: `agent:${safeAgent}`, source: `${safeAgent} ${signal}`, occurredAt },
    };
  }
}

function beforeRedaction(text: string): string {
  return text.slice(0, CHARACTERS_BEFORE_REDACTION);
}

/** Records of a service that is none of the agents known here. */
export function strangersOf(service: string, batch: Export, receivedAt: string): Stranger[] {
  return batch.records.map((record) => {
    const named = 'eventName' in record ? record.eventName : record.name;
    const fromAttribute = record.attributes['event.name'];
    const version = record.origin.resource['service.version'];
    return {
      agent: service,
      signal: batch.signal,
      name: named || (typeof fromAttribute === 'string' ? fromAttribute : UNNAMED),
      clientVersion: typeof version === 'string' ? version : '',
      record,
      occurredAt: receivedAt,
    };
  });
}

/** A service name that may become part of a stream's name. */
function streamSafe(name: string): string {
  return identifier(name).replaceAll(/[^\w.-]+/g, '_') || 'unknown';
}

function identifier(text: string): string {
  return text.slice(0, limits.identifierCharactersMax);
}

function cutToBytes(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limits.unrecognisedSampleBytesMax) return text;
  // The replacement character of a cut one is longer than what it stands for.
  const cut = bytes.subarray(0, limits.unrecognisedSampleBytesMax).toString();
  return cut.replace(/\uFFFD+$/, '');
}

/**
 * What a record looks like, for someone who is to write a translator: names, types and short values.
 * Long text is told by its length only, for it may be content, which never enters the log. Maps and
 * lists are cut, and what records share is outlined once, so that no record is dear to look at.
 */
function outline(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') {
    return value.length <= limits.unrecognisedTextCharactersMax
      ? value
      : `(${value.length} characters)`;
  }
  if (typeof value !== 'object' || value === null) return value;
  const before = seen.get(value);
  if (before !== undefined) return before;
  const result = Array.isArray(value)
    ? value.slice(0, limits.unrecognisedMembersMax).map((item) => outline(item, seen))
    : Object.fromEntries(
        Object.entries(value)
          .slice(0, limits.unrecognisedMembersMax)
          .map(([key, member]) => [key, outline(member, seen)]),
      );
  seen.set(value, result);
  return result;
}

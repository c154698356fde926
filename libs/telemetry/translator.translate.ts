import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { DataOf, DomainEvent, EventType } from '#eventstore/vocabulary/vocabulary.js';
import { Clock, identifierOf, type Attribution } from './attributes.translate.js';
import type { LogRecord, MetricPoint, Origin, Span } from './otlp.records.js';
import { Outcome } from './outcome.translate.js';
import type { Draft, Translator } from './translation.js';

/** What the translators of all agents have in common. */

type Translate<Item> = (records: readonly Item[], clock: Clock, outcome: Outcome) => void;

interface Parts {
  readonly agent: AgentName;
  readonly serviceNames: readonly string[];
  readonly logs: Translate<LogRecord>;
  readonly metrics: Translate<MetricPoint>;
  readonly traces: Translate<Span>;
}

/** The door of an agent's translator: its own records, each signal to its part. */
export function translatorOf({ agent, serviceNames, logs, metrics, traces }: Parts): Translator {
  const isOwn = ({ origin }: { readonly origin: Origin }): boolean => {
    const service = origin.resource['service.name'];
    return typeof service === 'string' && serviceNames.includes(service);
  };
  return {
    agent,
    serviceNames,
    translate: (batch, receivedAt) => {
      const outcome = new Outcome();
      const clock = new Clock(receivedAt);
      switch (batch.signal) {
        case 'logs':
          logs(batch.records.filter(isOwn), clock, outcome);
          break;
        case 'metrics':
          metrics(batch.records.filter(isOwn), clock, outcome);
          break;
        case 'traces':
          traces(batch.records.filter(isOwn), clock, outcome);
          break;
      }
      return outcome;
    },
  };
}

/** Where spend goes that names no session: it counts, though nobody knows whose it is. */
export const UNATTRIBUTED = 'unattributed';

/** What every draft takes from the record that it is made of. */
export interface Told {
  readonly session: { readonly agent: AgentName };
  readonly attribution: Attribution;
  readonly occurredAt: string;
  /** `<agent>/<client version> <signal>`. */
  readonly source: string;
}

export function draftOf<Type extends EventType>(
  { session, attribution, occurredAt, source }: Told,
  type: Type,
  id: string,
  data: DataOf<Type>,
  content?: string,
): Draft {
  const { taskId } = attribution;
  const event = {
    id,
    type,
    data,
    metadata: {
      actor: `agent:${session.agent}`,
      source,
      occurredAt,
      ...(taskId !== undefined && { correlationId: taskId }),
    },
    // The compiler cannot see that type and data belong together once both are generic.
  } as unknown as DomainEvent;
  return content === undefined ? { event } : { event, content };
}

export function clientVersionOf({ resource, scopeVersion }: Origin): string | undefined {
  return identifierOf(resource['service.version']) ?? identifierOf(scopeVersion);
}

/** What counts of an answer's cost before the price book has been looked at. */
export function reportedCost(
  costNanoUsd: number | null,
): Pick<
  DataOf<'UsageRecorded'>,
  'costNanoUsd' | 'costOrigin' | 'computedNanoUsd' | 'priceVersion'
> {
  const costOrigin = costNanoUsd === null ? 'unknown' : 'reported';
  return { costNanoUsd, costOrigin, computedNanoUsd: null, priceVersion: null };
}

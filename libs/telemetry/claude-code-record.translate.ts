import {
  attributionOf,
  eventIdOf,
  fingerprintOf,
  identifierOf,
  isAbsent,
  textOf,
} from './attributes.translate.js';
import type { Attribution, Clock } from './attributes.translate.js';
import type { Attributes, AttributeValue, LogRecord, Origin, Signal } from './otlp.records.js';
import { clientVersionOf, UNATTRIBUTED } from './translator.translate.js';

/** What all records of Claude Code have in common. */

export const AGENT = 'claude-code';

/** One record and what was made of the attributes that all kinds share. */
export interface Report {
  readonly attributes: Attributes;
  readonly session: { readonly agent: 'claude-code'; readonly sessionId: string };
  readonly attribution: Attribution;
  readonly provider: string;
  readonly clientVersion: string | undefined;
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
  { origin, attributes }: Recorded,
  unixNano: bigint,
  clock: Clock,
): Report {
  const clientVersion = clientVersionOf(origin);
  return {
    attributes,
    session: { agent: AGENT, sessionId: identifierOf(attributes['session.id']) ?? UNATTRIBUTED },
    attribution: attributionOf(attributes, origin.resource),
    provider: providerOf(attributes),
    clientVersion,
    occurredAt: clock.occurredAt(unixNano, attributes['event.timestamp']),
    unixNano,
    source: `${AGENT}/${clientVersion ?? 'unknown'} ${signal}`,
  };
}

function providerOf(attributes: Attributes): string {
  const provider = identifierOf(attributes['anthropic.provider']) ?? 'firstParty';
  return provider === 'firstParty' ? 'anthropic' : provider;
}

/** `event.name` in the attributes; older and other exporters put it, prefixed, elsewhere. */
export function nameOf({ attributes, eventName, body }: LogRecord): string {
  const name = textOf(attributes['event.name']) ?? (eventName || textOf(body)) ?? '';
  return name.startsWith('claude_code.') ? name.slice('claude_code.'.length) : name;
}

interface Thread {
  readonly thread: 'main' | 'subagent' | 'compaction' | 'auxiliary';
  readonly subagentId: string | undefined;
  readonly subagentType: string | undefined;
}

/**
 * Which conversation a request belongs to. Logs name what sent it (`sdk`, `repl_main_thread`,
 * `compact`, `agent:builtin:Explore`, or a helper such as the one that titles a session); metrics
 * name `main`, `subagent` or `auxiliary`, which there includes compaction.
 */
export function threadOf(attributes: Attributes): Thread {
  const source = textOf(attributes['query_source']) ?? 'main';
  const subagentId = identifierOf(attributes['agent_id']);
  const isSubagent =
    subagentId !== undefined || source === 'subagent' || source.startsWith('agent:');
  const typeInSource = source.startsWith('agent:') ? source.split(':')[2] : undefined;
  return {
    thread:
      source === 'compact'
        ? 'compaction'
        : isSubagent
          ? 'subagent'
          : isMainSource(source)
            ? 'main'
            : 'auxiliary',
    subagentId,
    subagentType: identifierOf(attributes['agent.name']) ?? identifierOf(typeInSource),
  };
}

function isMainSource(source: string): boolean {
  return source === 'sdk' || source === 'main' || source.startsWith('repl_main_thread');
}

export function modelOf(attributes: Attributes): string {
  return identifierOf(attributes['model']) ?? 'unknown';
}

export function promptOf(attributes: Attributes) {
  return { promptId: identifierOf(attributes['prompt.id']) };
}

export function requestOf(attributes: Attributes) {
  return { requestId: identifierOf(attributes['request_id']), ...promptOf(attributes) };
}

/** By the client's own key where every part of it is there, else by all that the record says. */
export function idOf(report: Report, kind: string, ...key: readonly unknown[]): string {
  const { attributes, session, unixNano } = report;
  return key.length > 0 && key.every((part) => part !== undefined && part !== null)
    ? eventIdOf(kind, AGENT, session.sessionId, 'key', ...key)
    : eventIdOf(kind, AGENT, session.sessionId, 'record', fingerprintOf(unixNano, attributes));
}

const withheld = '<REDACTED>';

/** Undefined when the client was told not to include it. */
export function contentOf(value: AttributeValue | undefined): string | undefined {
  const text = isAbsent(value) || typeof value !== 'object' ? textOf(value) : JSON.stringify(value);
  return text === withheld ? undefined : text;
}

/** The client's word for the standard tier is another in its transcript. */
export function tierOf(attributes: Attributes): string | null {
  const speed = identifierOf(attributes['speed']) ?? null;
  return speed === 'normal' ? 'standard' : speed;
}

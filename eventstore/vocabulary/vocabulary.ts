import type { z } from 'zod';
import type { NewEvent, RecordedEvent } from '#kernel/event.js';
import { BUDGETS_STREAM, budgetEvents } from './budgets.events.js';
import { DISPATCH_STREAM, dispatchEvents } from './dispatch.events.js';
import { hookEvents } from './hooks.events.js';
import { KILLS_STREAM, killEvents } from './kills.events.js';
import { NOTIFY_STREAM, notifyEvents, WEBHOOKS_STREAM, webhookEvents } from './notify.events.js';
import { PRICE_NOTICES_STREAM, priceEvents, PRICES_STREAM } from './prices.events.js';
import { sessionEvents, sessionStream } from './session.events.js';
import { telemetryEvents, telemetryStream } from './telemetry.events.js';
import { usageEvents } from './usage.events.js';
import { upcasts } from './upcast.js';
import { WATCH_STREAM, watchEvents } from './watch.events.js';

/** What an agent's session tells of itself: the events of its stream. */
const eventsOfSessions = { ...sessionEvents, ...usageEvents, ...hookEvents } as const;
export type SessionEventType = keyof typeof eventsOfSessions;

/** Every event type of the house, with its current schema version. */
const vocabulary = {
  ...eventsOfSessions,
  ...priceEvents,
  ...telemetryEvents,
  ...dispatchEvents,
  ...budgetEvents,
  ...killEvents,
  ...watchEvents,
  ...webhookEvents,
  ...notifyEvents,
} as const;

type Vocabulary = typeof vocabulary;
export type EventType = keyof Vocabulary;

export type DataOf<Type extends EventType> = z.infer<Vocabulary[Type]['schema']>;

/** Discriminated on `type`: a switch over it narrows `data`. */
export type DomainEvent = { [T in EventType]: NewEvent<T, DataOf<T>> }[EventType];
export type RecordedDomainEvent = { [T in EventType]: RecordedEvent<T, DataOf<T>> }[EventType];

export const eventTypes = Object.keys(vocabulary) as EventType[];

export function isKnownType(type: string): type is EventType {
  return Object.hasOwn(vocabulary, type);
}

/** The schema version in which events of this type are written today. */
export function currentVersion(type: EventType): number {
  return vocabulary[type].version;
}

/** The stream that an event belongs to. */
export function streamOf(event: DomainEvent): string {
  if (isOfSession(event)) return sessionStream(event.data.agent, event.data.sessionId);
  const shared = streams.find(({ events }) => Object.hasOwn(events, event.type));
  if (shared !== undefined) return shared.stream;
  switch (event.type) {
    case 'PricesPublished':
      return PRICES_STREAM;
    case 'PriceMissing':
      return PRICE_NOTICES_STREAM;
    case 'TelemetryUnrecognised':
      return telemetryStream(event.data.agent);
    default:
      throw new Error(`No stream is known for ${event.type}.`);
  }
}

/** All of whose events are in one stream. */
const streams = [
  { events: dispatchEvents, stream: DISPATCH_STREAM },
  { events: budgetEvents, stream: BUDGETS_STREAM },
  { events: killEvents, stream: KILLS_STREAM },
  { events: watchEvents, stream: WATCH_STREAM },
  { events: webhookEvents, stream: WEBHOOKS_STREAM },
  { events: notifyEvents, stream: NOTIFY_STREAM },
];

/** An event of a session's own stream. Others may speak of a session without being of it. */
export function isOfSession<Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, { type: SessionEventType }> {
  return Object.hasOwn(eventsOfSessions, event.type);
}

/** What is wrong with the event, in one sentence; undefined when it may be appended. */
export function faultOf(event: NewEvent): string | undefined {
  if (!isKnownType(event.type)) return `There is no event type "${event.type}".`;
  const result = vocabulary[event.type].schema.safeParse(event.data);
  if (result.success) return undefined;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  return `${event.type}${path ? `.${path}` : ''}: ${issue?.message ?? 'invalid'}.`;
}

/** Data of any version that was ever written, as today's version. */
export function upcast(type: string, version: number, data: unknown): unknown {
  const steps = upcasts[type];
  if (steps === undefined) return data;
  let current = data as Record<string, unknown>;
  for (let from = version, step = steps[from]; step; from += 1, step = steps[from])
    current = step(current);
  return current;
}

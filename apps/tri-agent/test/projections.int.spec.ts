import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dispatchEvents } from '#eventstore/vocabulary/dispatch.events.js';
import {
  currentVersion,
  eventTypes,
  type DataOf,
  type EventType,
  type RecordedDomainEvent,
} from '#eventstore/vocabulary/vocabulary.js';
import { sessionsProjections } from '#libs/sessions/projections.js';
import { given, recorded } from '#platform/projection.specification.js';
import { projections } from '../src/projections.js';

const folder = join(import.meta.dirname, '../../../eventstore/samples');

function sampleOf(type: EventType): RecordedDomainEvent {
  const file = join(folder, `${type}.v${currentVersion(type)}.json`);
  const data = JSON.parse(readFileSync(file, 'utf8')) as DataOf<EventType>;
  return recorded(1, type, data, '2026-11-20T10:00:00.000Z');
}

// One event that one projection cannot take would end the projector, and with it the server.
describe.each(projections.map((it) => [it.name, it] as const))('The projection %s', (_, it) => {
  test.each(eventTypes)('takes a %s, whether it is meant for it or not', (type) => {
    expect(() => given(it, [sampleOf(type)])).not.toThrow();
  });
});

test('What happens to tasks leaves nothing in the read models of sessions', () => {
  const events = (Object.keys(dispatchEvents) as EventType[]).map((type) => sampleOf(type));
  for (const projection of sessionsProjections) {
    const after = given(projection, events);
    expect(projection.tables.flatMap((name) => after.table(name))).toEqual([]);
  }
});

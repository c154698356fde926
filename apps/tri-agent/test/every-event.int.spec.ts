import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v5 } from 'uuid';
import {
  currentVersion,
  eventTypes,
  streamOf,
  upcast,
  type DomainEvent,
  type EventType,
  type RecordedDomainEvent,
} from '#eventstore/vocabulary/vocabulary.js';
import { dispatchProjections } from '#libs/dispatch/projections.js';
import { pricesProjections } from '#libs/prices/projections.js';
import { sessionsProjections } from '#libs/sessions/projections.js';
import { ReadModelsWriter } from '#platform/read-models-writer.js';

const samples = join(import.meta.dirname, '../../../eventstore/samples');
const NAMESPACE = '4f1d6f0e-5d0b-4f6a-9a57-8f6f0a3f3c12';

/** One recorded event of each type and version that was ever written, in alphabetical order. */
const events = readdirSync(samples).map((file, index): RecordedDomainEvent => {
  const [, type = '', version = ''] = /^(\w+)\.v(\d+)\.json$/.exec(file) ?? [];
  const raw: unknown = JSON.parse(readFileSync(join(samples, file), 'utf8'));
  const occurredAt = '2026-11-20T10:00:00.000Z';
  const event = {
    id: v5(file, NAMESPACE),
    type: type as EventType,
    data: upcast(type, Number(version), raw),
    metadata: { actor: 'test', source: 'test', occurredAt, recordedAt: occurredAt },
  } as DomainEvent;
  const at = { stream: streamOf(event), version: index + 1, position: BigInt(index + 1) };
  const schemaVersion = currentVersion(event.type);
  return { ...event, ...at, schemaVersion } as RecordedDomainEvent;
});

describe('Every read model', () => {
  let folder: string;
  let writer: ReadModelsWriter;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'every-event-'));
    const all = [...sessionsProjections, ...pricesProjections, ...dispatchProjections];
    writer = ReadModelsWriter.open(join(folder, 'read-models.db'), all, 0n, () => undefined);
  });
  afterEach(() => {
    writer.close();
    rmSync(folder, { recursive: true });
  });

  test('is told of every event type', () => {
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(eventTypes));
  });

  test('takes an event of any type, whatever came before it', () => {
    const both = [...events, ...[...events].reverse()];
    const numbered = both.map((event, index) => ({ ...event, position: BigInt(index + 1) }));
    expect(() => {
      writer.apply(numbered);
    }).not.toThrow();
  });
});

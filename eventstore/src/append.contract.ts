import type { NewEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import {
  idsOf,
  refusalOf,
  sessionsStarted,
  sessionStarted,
  versionsOf,
} from './helpers.contract.js';
import { isLogError, type EventLog } from './log.js';

/** The part of the contract that is about writing. `current` gives the log of the running test. */
export function describeAppend(current: () => EventLog): void {
  let log: EventLog;
  beforeEach(() => {
    log = current();
  });

  describe('append', () => {
    test('numbers the events of each stream without a gap, from 1', async () => {
      const appended = await Promise.all([
        log.append('a', 'any', sessionsStarted(3)),
        log.append('b', 'any', sessionsStarted(1)),
        log.append('a', 'any', sessionsStarted(2)),
      ]);
      expect(appended.map(versionsOf)).toEqual([[1, 2, 3], [1], [4, 5]]);
      expect(versionsOf(await log.read('a', 0, 10))).toEqual([1, 2, 3, 4, 5]);
    });

    test('gives each event a position above all before it', async () => {
      const first = await log.append('a', 'any', sessionsStarted(2));
      const second = await log.append('b', 'any', sessionsStarted(2));
      const positions = [...first, ...second].map(({ position }) => position);
      expect(positions).toEqual([...positions].sort((a, b) => (a < b ? -1 : 1)));
      expect(new Set(positions).size).toBe(4);
      expect(await log.head()).toBe(positions.at(-1));
    });

    test('keeps what it was given, and stamps when', async () => {
      const before = new Date().toISOString();
      const event = sessionStarted();
      const [appended] = await log.append('a', 0, [event]);
      const [read] = await log.read('a', 0, 10);
      expect(read).toEqual({
        ...event,
        stream: 'a',
        version: 1,
        position: appended!.position,
        schemaVersion: 1,
        metadata: { ...event.metadata, recordedAt: read!.metadata.recordedAt },
      });
      expect(read!.metadata.recordedAt >= before).toBe(true);
    });

    test('of nothing does nothing', async () => {
      expect(await log.append('a', 7, [])).toEqual([]);
      expect(await log.head()).toBe(0n);
    });

    test('is not touched by later changes of what was appended', async () => {
      const data = { sessionId: 's-1', agent: 'codex', startType: 'fresh' };
      await log.append('a', 0, [sessionStarted({ data })]);
      data.sessionId = 'changed';
      expect((await log.read('a', 0, 1))[0]!.data).toHaveProperty('sessionId', 's-1');
    });
  });

  describe('An expected version', () => {
    test('lets exactly one of 16 racing appends win', async () => {
      await log.append('a', 0, sessionsStarted(1));
      const racers = Array.from({ length: 16 }, () => log.append('a', 1, sessionsStarted(2)));
      const results = await Promise.allSettled(racers);
      const lost = results.filter(({ status }) => status === 'rejected');
      expect(lost).toHaveLength(15);
      for (const { reason } of lost as PromiseRejectedResult[]) {
        expect(isLogError(reason, 'VERSION_CONFLICT')).toBe(true);
      }
      expect(versionsOf(await log.read('a', 0, 100))).toEqual([1, 2, 3]);
    });

    test('that is wrong refuses this append alone, and all of it', async () => {
      const [conflict, other] = await Promise.allSettled([
        log.append('a', 5, sessionsStarted(3)),
        log.append('a', 0, sessionsStarted(1)),
      ]);
      expect(conflict.status).toBe('rejected');
      expect(other.status).toBe('fulfilled');
      expect(await log.head()).toBe(1n);
    });

    test('of 0 means that the stream has no events', async () => {
      await log.append('a', 0, sessionsStarted(1));
      expect(await refusalOf(log.append('a', 0, sessionsStarted(1)))).toBe('VERSION_CONFLICT');
    });
  });

  describe('A known id', () => {
    test('changes nothing and answers with its first place, whatever was expected', async () => {
      const events = sessionsStarted(2);
      const first = await log.append('a', 0, events);
      await log.append('a', 2, sessionsStarted(1));
      const again = await log.append('a', 0, events);
      expect(again).toEqual(first.map((event) => ({ ...event, duplicate: true })));
      expect(await log.head()).toBe(3n);
    });

    test('is skipped among new ones', async () => {
      const [one, two, three] = sessionsStarted(3) as [NewEvent, NewEvent, NewEvent];
      await log.append('a', 0, [two]);
      const appended = await log.append('a', 1, [one, two, three]);
      expect(appended.map(({ duplicate }) => duplicate)).toEqual([false, true, false]);
      expect(versionsOf(appended)).toEqual([2, 1, 3]);
      expect(idsOf(await log.read('a', 0, 10))).toEqual([two.id, one.id, three.id]);
    });

    test('among new ones does not excuse a wrong version', async () => {
      const [known, fresh] = sessionsStarted(2) as [NewEvent, NewEvent];
      await log.append('a', 0, [known]);
      expect(await refusalOf(log.append('a', 0, [known, fresh]))).toBe('VERSION_CONFLICT');
      expect(await log.head()).toBe(1n);
    });

    test('is known in every stream', async () => {
      const event = sessionStarted();
      const [first] = await log.append('a', 'any', [event]);
      expect(await log.append('b', 'any', [event])).toEqual([{ ...first, duplicate: true }]);
      expect(await log.read('b', 0, 10)).toEqual([]);
    });

    test('may come twice in one append and in appends under way at once', async () => {
      const event = sessionStarted();
      const appended = await Promise.all([
        log.append('a', 'any', [event, event]),
        log.append('a', 'any', [event]),
      ]);
      expect(appended.flat().map(({ duplicate }) => duplicate)).toEqual([false, true, true]);
      expect(new Set(appended.flat().map(({ position }) => position)).size).toBe(1);
      expect(await log.read('a', 0, 10)).toHaveLength(1);
    });

    test('stays one event over a thousand retries', async () => {
      const event = sessionStarted();
      const retries = Array.from({ length: 1_000 }, () => log.append('a', 0, [event]));
      const positions = (await Promise.all(retries)).flat().map(({ position }) => position);
      expect(new Set(positions).size).toBe(1);
      expect(await log.head()).toBe(1n);
    });
  });

  describe('INVALID_EVENT refuses, with all that came along,', () => {
    const { metadata } = sessionStarted();
    const fullData = { sessionId: 's-1', agent: 'codex', startType: 'fresh' };
    test.each([
      ['an unknown type', { type: 'NeverHeardOf' }],
      ['data with a field missing', { data: { sessionId: 's-1', agent: 'codex' } }],
      ['data with a field too many', { data: { ...fullData, prompt: 'secret' } }],
      ['no data', { data: undefined }],
      ['an id that is no UUID', { id: 'request-1' }],
      ['a UUID in upper case', { id: '0199A9C1-7B1D-7C3A-9F00-000000000001' }],
      ['metadata without a source', { metadata: { ...metadata, source: '' } }],
      ['a time that is not UTC', { metadata: { ...metadata, occurredAt: '2026-11-20 10:00' } }],
    ] as [string, Partial<NewEvent>][])('%s', async (_, overrides) => {
      const events = [sessionStarted(), sessionStarted(overrides)];
      expect(await refusalOf(log.append('a', 'any', events))).toBe('INVALID_EVENT');
      expect(await log.head()).toBe(0n);
    });

    test('data that is too long', async () => {
      const readings = Array.from({ length: 4_000 }, () => ({
        measure: 'commits',
        series: '',
        since: '2026-11-20T10:00:00.000Z',
        amount: 1,
      }));
      const data = { sessionId: 's-1', agent: 'codex', temporality: 'delta', readings };
      const event = sessionStarted({ type: 'ActivityMetered', data });
      expect(await refusalOf(log.append('a', 'any', [event]))).toBe('INVALID_EVENT');
    });

    test('too many events at once', async () => {
      const event = sessionStarted();
      const events = Array.from({ length: limits.eventsPerAppendMax + 1 }, () => event);
      expect(await refusalOf(log.append('a', 'any', events))).toBe('INVALID_EVENT');
    });

    test.each([
      ['empty', ''],
      ['too long', 'x'.repeat(limits.streamNameCharactersMax + 1)],
      ['with a control character', 'session-\u0000'],
      ['with half a character', 'session-\ud800'],
    ])('a stream name that is %s', async (_, stream) => {
      expect(await refusalOf(log.append(stream, 'any', [sessionStarted()]))).toBe('INVALID_EVENT');
    });
  });
}

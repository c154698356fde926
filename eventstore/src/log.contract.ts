import fc from 'fast-check';
import type { NewEvent, RecordedEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';
import { describeAppend } from './append.contract.js';
import {
  idsOf,
  priceMissing,
  refusalOf,
  sessionsStarted,
  take,
  versionsOf,
  type OpenedLog,
} from './helpers.contract.js';
import type { EventLog } from './log.js';

/** What every log must do, whatever it is made of. */
export function describeLogContract(name: string, open: () => OpenedLog): void {
  describe(name, () => {
    let log: EventLog;
    let dispose: () => Promise<void>;
    beforeEach(() => {
      ({ log, dispose } = open());
    });
    afterEach(() => dispose());

    describeAppend(() => log);

    describe('read', () => {
      test('pages through one stream', async () => {
        const events = sessionsStarted(5);
        await log.append('a', 0, events.slice(0, 3));
        await log.append('b', 0, sessionsStarted(2));
        await log.append('a', 3, events.slice(3));
        const pages = [await log.read('a', 0, 2), await log.read('a', 2, 2)];
        expect(pages.map(versionsOf)).toEqual([
          [1, 2],
          [3, 4],
        ]);
        expect(idsOf(await log.read('a', 4, 2))).toEqual([events[4]!.id]);
        expect(await log.read('a', 5, 2)).toEqual([]);
      });

      test('of a stream that is not there is empty', async () => {
        expect(await log.read('nobody', 0, 10)).toEqual([]);
      });
    });

    describe('follow', () => {
      test('gives every event once and in order from any position, while others append', async () => {
        const before = 20;
        const scenario = fc.record({
          sizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 12 }),
          starts: fc.array(fc.nat(before), { minLength: 1, maxLength: 4 }),
          batchEvents: fc.integer({ min: 1, max: 9 }),
        });
        const property = fc.asyncProperty(scenario, async ({ sizes, starts, batchEvents }) => {
          const opened = open();
          const first = await opened.log.append('before', 0, sessionsStarted(before));
          const total = sizes.reduce((sum, size) => sum + size, before);
          const followers = starts.map((start) =>
            take(opened.log, first[start - 1]?.position ?? 0n, total - start, batchEvents),
          );
          await Promise.all(
            sizes.map((size, index) =>
              opened.log.append(`s-${index % 3}`, 'any', sessionsStarted(size)),
            ),
          );
          const all = await take(opened.log, 0n, total);
          expect(new Set(idsOf(all)).size).toBe(total);
          for (const [index, seen] of (await Promise.all(followers)).entries()) {
            expect(seen).toEqual(all.slice(starts[index]));
          }
          await opened.dispose();
        });
        await fc.assert(property, { numRuns: 25 });
      });

      test('waits for what is still to come', async () => {
        const follower = take(log, 0n, 2);
        const [one, two] = sessionsStarted(2) as [NewEvent, NewEvent];
        await log.append('a', 'any', [one]);
        await log.append('b', 'any', [two]);
        expect(idsOf(await follower)).toEqual([one.id, two.id]);
      });

      test('lets everything else have its turn while it catches up', async () => {
        await log.append('a', 'any', sessionsStarted(3));
        let turns = 0;
        setImmediate(() => (turns += 1));
        await take(log, 0n, 3, 1);
        expect(turns).toBe(1);
      });

      test('passes over what is of other types, however much that is', async () => {
        const rare = [priceMissing(), priceMissing(), priceMissing()] as const;
        await log.append('a', 'any', sessionsStarted(limits.followScanPositions + 3));
        const following = take(log, 0n, 3, 2, ['PriceMissing', 'SomethingElse']);
        await log.append('b', 'any', [...sessionsStarted(2), rare[0]]);
        await log.append('c', 'any', sessionsStarted(1));
        await log.append('d', 'any', [rare[1], rare[2]]);
        expect(idsOf(await following)).toEqual(idsOf(rare));
      });

      test('ends by itself where it was to, also when what stands there is of another type', async () => {
        await log.append('a', 'any', [priceMissing(), ...sessionsStarted(2)]);
        const { signal } = new AbortController();
        const until = await log.head();
        const given: RecordedEvent[] = [];
        for await (const batch of log.follow(0n, { signal, until, types: ['PriceMissing'] }))
          given.push(...batch);
        expect(given).toHaveLength(1);
        const nothing = log.follow(until, { signal, until })[Symbol.asyncIterator]();
        expect(await nothing.next()).toEqual({ done: true, value: undefined });
      });

      test('ends when aborted, waiting or not', async () => {
        const end = new AbortController();
        const iterator = log.follow(0n, { signal: end.signal })[Symbol.asyncIterator]();
        const waiting = iterator.next();
        end.abort();
        expect(await waiting).toEqual({ done: true, value: undefined });
        const late = log.follow(0n, { signal: end.signal })[Symbol.asyncIterator]();
        expect(await late.next()).toEqual({ done: true, value: undefined });
      });
    });

    describe('close', () => {
      test('waits for appends under way and refuses what comes after', async () => {
        const underWay = log.append('a', 'any', sessionsStarted(1));
        await log.close();
        expect(await underWay).toHaveLength(1);
        expect(await refusalOf(log.append('a', 'any', sessionsStarted(1)))).toBe('LOG_UNAVAILABLE');
        expect(await refusalOf(log.read('a', 0, 1))).toBe('LOG_UNAVAILABLE');
        expect(await refusalOf(log.head())).toBe('LOG_UNAVAILABLE');
      });

      test('ends those who follow, with a reason', async () => {
        const { signal } = new AbortController();
        const waiting = log.follow(0n, { signal })[Symbol.asyncIterator]().next();
        await log.close();
        expect(await refusalOf(waiting)).toBe('LOG_UNAVAILABLE');
      });

      test('may be called twice', async () => {
        await log.close();
        await expect(log.close()).resolves.toBeUndefined();
      });
    });
  });
}

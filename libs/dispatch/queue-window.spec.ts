import fc from 'fast-check';
import type { Shard } from '#eventstore/vocabulary/dispatch.events.js';
import { task } from './dispatch.spec-helper.js';
import type { DispatchEvent } from './dispatch-state.js';
import { QueueWindow, waitP95Ms } from './queue-window.js';

const minuteMs = 60_000;
const attempt = { taskId: 't', attemptId: 'a', workerId: 'w', fencingToken: 1 };

const submitted = (atMs: number, shard: Shard = 'impl'): DispatchEvent => ({
  type: 'TaskSubmitted',
  data: { ...task({ shard }), atMs },
});

function claimed(atMs: number, waitedMs: number): DispatchEvent {
  const seat = { agent: 'codex', provider: 'openai', account: 'two', model: null } as const;
  const bounds = { leaseMs: 1, progressMs: 1, reservedNanoUsd: 0, stolen: false };
  return { type: 'TaskClaimed', data: { ...attempt, ...seat, ...bounds, waitedMs, atMs } };
}

function released(atMs: number, durationMs: number): DispatchEvent {
  return { type: 'AttemptReleased', data: { ...attempt, reason: 'r', durationMs, atMs } };
}

function windowOf(events: readonly DispatchEvent[], sinceMs = 0): QueueWindow {
  const window = new QueueWindow(sinceMs);
  for (const event of events) window.observe(event, () => 'impl');
  return window;
}

describe('The window of a queue', () => {
  test('counts what comes in by its own shard, and what is claimed and ends by that of its task', () => {
    const window = windowOf([submitted(1, 'review'), claimed(2, 40), released(3, 900)]);
    expect(window.of('review', 3)).toMatchObject({ arrivals: 1, served: 0, claims: 0 });
    expect(window.of('impl', 3)).toMatchObject({
      ...{ arrivals: 0, served: 1, servedMs: 900 },
      ...{ claims: 1, waitedMs: 40, waitedMsMax: 40 },
    });
  });

  test('does not count what is of no task, or of one that nobody knows', () => {
    const window = new QueueWindow(0);
    window.observe({ type: 'LeasesRenewed', data: { attempts: 1, atMs: 1 } }, () => 'impl');
    window.observe(claimed(1, 5), () => undefined);
    expect(window.of('impl', 1)).toMatchObject({ arrivals: 0, served: 0, claims: 0 });
  });

  test('forgets what was more than an hour ago', () => {
    const window = windowOf([submitted(0), submitted(30 * minuteMs)]);
    expect(window.of('impl', 60 * minuteMs).arrivals).toBe(2);
    expect(window.of('impl', 61 * minuteMs).arrivals).toBe(1);
    expect(window.of('impl', 91 * minuteMs).arrivals).toBe(0);
  });

  test('is as long as what has passed, from a minute to an hour and the minute under way', () => {
    const sinceMs = 1_000 * minuteMs;
    const window = new QueueWindow(sinceMs);
    expect(window.lengthMs(sinceMs + 5_000)).toBe(minuteMs);
    expect(window.lengthMs(sinceMs + 10 * minuteMs)).toBe(10 * minuteMs);
    expect(window.lengthMs(sinceMs + 500 * minuteMs)).toBe(60 * minuteMs);
    expect(window.lengthMs(sinceMs + 500 * minuteMs + 20_000)).toBe(60 * minuteMs + 20_000);
  });

  test('counts exactly what lies in its length, whenever things happened', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20 * minuteMs }), { maxLength: 80 });
    fc.assert(
      fc.property(gaps, fc.nat(3 * 60 * minuteMs), (waits, laterMs) => {
        let atMs = 0;
        const times = waits.map((gapMs) => (atMs += gapMs));
        const nowMs = atMs + laterMs;
        const window = windowOf(times.map((it) => submitted(it)));
        const fromMs = nowMs - window.lengthMs(nowMs);
        expect(window.of('impl', nowMs).arrivals).toBe(times.filter((it) => it >= fromMs).length);
      }),
    );
  });
});

describe('The wait that 95 of 100 claims did not exceed', () => {
  test('is not known while there was no claim', () => {
    expect(waitP95Ms(windowOf([]).of('impl', 0))).toBeNull();
  });

  test('is that by nearest rank or up to a fifth more, and never above the longest', () => {
    const waits = fc.array(fc.nat(10 * 60 * minuteMs), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(waits, (waited) => {
        const told = waitP95Ms(windowOf(waited.map((it) => claimed(0, it))).of('impl', 0))!;
        const sorted = [...waited].sort((a, b) => a - b);
        const exact = sorted[Math.ceil(sorted.length * 0.95) - 1]!;
        expect(told).toBeGreaterThanOrEqual(exact);
        expect(told).toBeLessThanOrEqual(Math.min(sorted.at(-1)!, exact * 1.2 + 1));
      }),
    );
  });
});

import { task } from './dispatch.spec-helper.js';
import type { DispatchEvent } from './dispatch-state.js';
import { queueFigures } from './queue-figures.js';
import { QueueWindow } from './queue-window.js';

const hourMs = 60 * 60_000;
const attempt = { taskId: 't', attemptId: 'a', workerId: 'w', fencingToken: 1 };

function figures(arrivals: number, durationsMs: readonly number[], slots: number) {
  const submitted = Array.from({ length: arrivals }, (): DispatchEvent => {
    return { type: 'TaskSubmitted', data: { ...task(), atMs: 0 } };
  });
  const completed = durationsMs.map((durationMs): DispatchEvent => {
    const data = { ...attempt, resultHash: null, durationMs, atMs: 0 };
    return { type: 'AttemptCompleted', data };
  });
  const window = new QueueWindow(0);
  for (const event of [...submitted, ...completed]) window.observe(event, () => 'impl');
  const [impl] = queueFigures(window, hourMs, () => slots);
  return impl!;
}

describe('The figures of a shard', () => {
  test('are those of M/M/1 with one slot: Wq = ρ / (μ - λ)', () => {
    // λ = 2/h, μ = 4/h, ρ = 0.5, Wq = 0.25 h
    const { arrivalsPerHour, servedPerHourPerSlot, utilisation, expectedWaitMs } = figures(
      2,
      [hourMs / 4, hourMs / 4],
      1,
    );
    expect([arrivalsPerHour, servedPerHourPerSlot, utilisation]).toEqual([2, 4, 0.5]);
    expect(expectedWaitMs).toBeCloseTo(hourMs / 4, 5);
  });

  test('are those of M/M/c with several: the textbook case of λ = 5, μ = 3, c = 3', () => {
    // a = 5/3; P0 = 1 / (1 + a + a²/2 + a³/6 · 1/(1 - 5/9)); C = a³/6 · 1/(1 - 5/9) · P0
    const { utilisation, expectedWaitMs } = figures(5, [hourMs / 3], 3);
    const a = 5 / 3;
    const all = a ** 3 / 6 / (1 - 5 / 9);
    const mustWait = all / (1 + a + a ** 2 / 2 + all);
    expect(utilisation).toBeCloseTo(5 / 9, 9);
    expect(expectedWaitMs).toBeCloseTo((mustWait / (9 - 5)) * hourMs, 3);
  });

  test('have no expected wait where the queue grows without end, or nothing is known', () => {
    expect(figures(8, [hourMs], 2)).toMatchObject({ utilisation: 4, expectedWaitMs: null });
    expect(figures(8, [], 2)).toMatchObject({ servedPerHourPerSlot: null, expectedWaitMs: null });
    expect(figures(8, [hourMs], 0)).toMatchObject({ utilisation: null, expectedWaitMs: null });
  });

  test('do not overflow with many slots', () => {
    const { expectedWaitMs } = figures(900, [hourMs], 1_000);
    expect(expectedWaitMs).toBeGreaterThan(0);
    expect(expectedWaitMs).toBeLessThan(hourMs / 100);
  });

  test('tell what was seen beside it, by shard', () => {
    const claimed = (taskId: string, waitedMs: number): DispatchEvent => {
      const seat = { agent: 'codex', provider: 'openai', account: 'two', model: null } as const;
      const bounds = { leaseMs: 1, progressMs: 1, reservedNanoUsd: 0, stolen: false };
      const data = { ...attempt, taskId, ...seat, ...bounds, waitedMs, atMs: 0 };
      return { type: 'TaskClaimed', data };
    };
    const window = new QueueWindow(0);
    const events = [claimed('i', 100), claimed('i', 300), claimed('r', 7), claimed('unknown', 9)];
    for (const event of events) {
      window.observe(event, (taskId) => (({ i: 'impl', r: 'review' }) as const)[taskId]);
    }
    const all = queueFigures(window, hourMs, () => 1);
    expect(all.map(({ shard, observedWaitMs }) => [shard, observedWaitMs])).toEqual([
      ['impl', { mean: 200, p95: 300, max: 300 }],
      ['review', { mean: 7, p95: 7, max: 7 }],
      ['architect', null],
    ]);
  });
});

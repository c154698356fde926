import { randomUUID } from 'node:crypto';
import { MemoryLog } from '#eventstore/src/memory-log.js';
import { DISPATCH_STREAM } from '#eventstore/vocabulary/dispatch.events.js';
import { Decisions } from '#platform/decisions.js';
import { claude, Dispatch, task } from './dispatch.spec-helper.js';
import { dispatchDecider } from './dispatch.decider.js';

const wish = { attemptId: 'x', budgets: [], leaseMs: 30_000 };

const origin = () => ({
  commandId: randomUUID(),
  actor: 'test',
  source: 'test',
  occurredAt: '2026-11-20T10:00:00.000Z',
});

test('Nobody shares a state with anybody', () => {
  const first = dispatchDecider.initial;
  dispatchDecider.evolve(first, { type: 'TaskSubmitted', data: { ...task(), atMs: 0 } });
  expect([first.tasks.size, dispatchDecider.initial.tasks.size]).toEqual([1, 0]);
});

test('Deciding changes nothing', () => {
  const dispatch = new Dispatch().worker('w').submit({ taskId: 'a' }, { taskId: 'b' });
  const command = { type: 'claim', workerId: 'w', ...wish, nowMs: 0 } as const;
  const [first, second] = [1, 2].map(() => dispatchDecider.decide(command, dispatch.state));
  expect(first).toEqual(second);
  expect([dispatch.state.running.size, dispatch.state.ready.length]).toEqual([0, 2]);
});

describe('Two processes with eight workers on one log', () => {
  test('claim each task once, and both know the same', async () => {
    const log = new MemoryLog();
    const processes = [1, 2].map(() => new Decisions(log, DISPATCH_STREAM, dispatchDecider));
    const [one, two] = processes as [(typeof processes)[0], (typeof processes)[0]];
    const facts = {
      host: 'h',
      tokenHash: 'x',
      shards: ['impl' as const],
      seats: [claude],
      slots: 50,
      ...{ agents: [], containment: null },
    };
    for (let index = 0; index < 8; index += 1) {
      const worker = { workerId: `w${index}`, ...facts };
      await one.decide({ type: 'register-worker', worker, nowMs: 0 }, origin());
    }
    const tasks = Array.from({ length: 200 }, (_, index) => task({ taskId: `t${index}` }));
    await two.decide({ type: 'submit', tasks, nowMs: 0 }, origin());
    const claims = Array.from({ length: 240 }, (_, index) => {
      const ids = { workerId: `w${index % 8}`, attemptId: `a${index}` };
      const command = { type: 'claim', ...wish, ...ids, nowMs: 1 } as const;
      return (index % 2 ? one : two).decide(command, origin());
    });
    const events = (await Promise.all(claims)).flatMap((decision) => decision.events);
    const claimed = events.map(({ type, data }) => (type === 'TaskClaimed' ? data.taskId : type));
    expect(claimed.sort()).toEqual(tasks.map(({ taskId }) => taskId).sort());
    expect([...(await one.catchUp()).running]).toEqual([...(await two.catchUp()).running]);
  });
});

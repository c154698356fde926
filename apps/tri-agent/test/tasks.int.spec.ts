import Database from 'better-sqlite3';
import fc from 'fast-check';
import { dispatchDecider } from '#libs/dispatch/dispatch.decider.js';
import type { DispatchEvent, Task } from '#libs/dispatch/dispatch-state.js';
import { recordedDispatch } from '#libs/dispatch/recorded-dispatch.spec-helper.js';
import { taskShape, whyShape, type TaskAnswer } from '#libs/dispatch/task.shapes.js';
import { explain } from '#libs/dispatch/explain.js';
import { tasksProjection } from '#libs/dispatch/tasks.projection.js';
import { TasksReadModel } from '#libs/dispatch/tasks-read-model.spec-helper.js';
import { why } from '#libs/dispatch/why.js';
import { tableRows } from '#platform/projection.specification.js';
import { simulate } from './dispatch-simulation.js';

const open: TasksReadModel[] = [];
afterEach(() => {
  for (const model of open.splice(0)) model.remove();
});

function readModel(): TasksReadModel {
  const model = new TasksReadModel();
  open.push(model);
  return model;
}

const nights = new Map<number, readonly DispatchEvent[]>();
function eventsOf(seed: number): readonly DispatchEvent[] {
  const events = nights.get(seed) ?? simulate(seed).events;
  nights.set(seed, events);
  return events;
}

function folded(events: readonly DispatchEvent[]) {
  return events.reduce(
    (state, event) => dispatchDecider.evolve(state, event),
    dispatchDecider.initial,
  );
}

/** Newest first, as the decider knows it. */
function known({ spec, lane, status, lateResults }: Task) {
  return {
    taskId: spec.taskId,
    lane,
    state: status.is,
    attemptId: 'attemptId' in status ? status.attemptId : null,
    resultHash: 'resultHash' in status ? status.resultHash : null,
    reason: 'reason' in status ? status.reason : null,
    isOver: ['completed', 'cancelled', 'parked'].includes(status.is),
    lateResults,
  };
}

/** The same, as the read model tells it. Why a task is delayed is a thing the decider does not keep. */
function told(task: TaskAnswer): ReturnType<typeof known> {
  const { taskId, lane, state, attemptId, resultHash, lateResults, endedAt } = task;
  const reason = state === 'delayed' ? null : task.reason;
  const facts = { taskId, lane, state, attemptId, resultHash, reason, lateResults };
  return { ...facts, isOver: endedAt !== null };
}

function listAll({ queries }: Pick<TasksReadModel, 'queries'>): TaskAnswer[] {
  const items: TaskAnswer[] = [];
  let cursor: string | undefined;
  do {
    const page = queries.list({ limit: 17, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items.map((it) => taskShape.parse(it)));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

function tablesOf({ file }: TasksReadModel) {
  const db = new Database(file, { readonly: true });
  const rows = tasksProjection.tables.map((table) => tableRows(db, table));
  db.close();
  return rows;
}

const seeds = [1, 2, 3, 4, 5, 6];

/** What never happens without something before it. */
const caused = /^(TaskClaimed|Attempt(Started|Failed|Released)|Lease.*|Progress.*|LateResultKept)$/;

describe('The read model of tasks', () => {
  test.each(seeds)('tells at any hour of a night what the decider knows (seed %i)', (seed) => {
    const events = eventsOf(seed);
    const model = readModel();
    const hours = [0.1, 0.3, 0.5, 0.7, 1].map((part) => Math.ceil(events.length * part));
    let seen = 0;
    for (const until of hours) {
      model.apply(recordedDispatch(events.slice(0, until)).slice(seen));
      seen = until;
      const state = folded(events.slice(0, until));
      const wanted = [...state.tasks.values()].reverse();
      expect(listAll(model).map(told)).toEqual(wanted.map(known));
      for (const { state, reason } of listAll(model)) {
        if (state === 'delayed') expect(reason).not.toBeNull();
      }
      for (const attempt of state.running.values()) {
        const { workerId, sessionId, percent } = attempt;
        expect(model.queries.show(attempt.taskId)).toMatchObject({ workerId, sessionId, percent });
      }
    }
  });

  test.each(seeds)('has of every attempt its one end (seed %i)', (seed) => {
    const events = eventsOf(seed);
    const model = readModel().apply(recordedDispatch(events));
    const state = folded(events);
    const details = [...state.tasks.keys()].map((taskId) => model.queries.show(taskId));
    const attempts = details.flatMap(({ attemptList }) => attemptList);
    const claims = events.filter(({ type }) => type === 'TaskClaimed').length;
    expect(attempts).toHaveLength(claims);
    for (const { attemptId, end, endedAt, durationMs } of attempts) {
      expect([attemptId, end === null]).toEqual([attemptId, state.running.has(attemptId)]);
      const known = state.ended.get(attemptId)?.end;
      if (known !== undefined) expect(end === 'completed').toBe(known === 'completed');
      expect([endedAt === null, durationMs === null]).toEqual([end === null, end === null]);
    }
    for (const { attempts: count, attemptList } of details) expect(count).toBe(attemptList.length);
  });

  test.each(seeds)('names for every task all events that bear its id (seed %i)', (seed) => {
    const events = eventsOf(seed);
    const { queries } = readModel().apply(recordedDispatch(events));
    for (const { taskId } of listAll({ queries })) {
      const own = events.flatMap(({ data }, index) =>
        'taskId' in data && data.taskId === taskId ? [index + 1] : [],
      );
      const { versions, omitted } = queries.versionsOf(taskId);
      expect(omitted).toBe(0);
      expect(versions).toEqual([...versions].sort((a, b) => a - b));
      expect(versions).toEqual(expect.arrayContaining(own));
    }
  });

  test.each(seeds)('has for every task a chain of causes that holds (seed %i)', (seed) => {
    const log = recordedDispatch(eventsOf(seed));
    const { queries } = readModel().apply(log);
    const state = folded(eventsOf(seed));
    const clocks = { nowMs: state.clockMs, wallNowMs: 0 };
    for (const taskId of state.tasks.keys()) {
      const { versions, omitted } = queries.versionsOf(taskId);
      const events = versions.map((version) => log[version - 1]!);
      const explanation = explain(state, taskId, state.clockMs, []);
      const { chain } = whyShape.parse(why({ explanation, events, omitted, ...clocks }));
      expect(chain.map(({ version }) => version)).toEqual(versions);
      expect(chain[0]).toMatchObject({ type: 'TaskSubmitted', becauseOf: null });
      const broken = chain.filter(({ type, version, what, becauseOf }) => {
        const isCausedEarlier =
          becauseOf === null
            ? !caused.test(type)
            : becauseOf < version && versions.includes(becauseOf);
        return !isCausedEarlier || !/[.!?]$/.test(what);
      });
      expect(broken).toEqual([]);
    }
  });

  test('is the same however the log was cut, repeated and interrupted', () => {
    const night = recordedDispatch(eventsOf(3));
    const whole = tablesOf(readModel().apply(night));
    const sizes = fc.array(fc.integer({ min: 20, max: 400 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sizes, fc.nat(5), (batchSizes, overlap) => {
        const model = readModel();
        for (let start = 0, turn = 0; start < night.length; turn += 1) {
          const end = start + batchSizes[turn % batchSizes.length]!;
          model.apply(night.slice(Math.max(0, start - overlap), end));
          start = end;
        }
        expect(tablesOf(model)).toEqual(whole);
      }),
      { numRuns: 8 },
    );
  });
});

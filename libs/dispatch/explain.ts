import type { Conversation } from '#eventstore/vocabulary/dispatch.events.js';
import { limits } from '#kernel/limits.js';
import { kindOfTask, seatsFor } from './claims.decider.js';
import type { BudgetReading } from './commands.js';
import {
  dueMsOf,
  taskOf,
  type DispatchState,
  type HaltOrder,
  type Task,
  type TaskStatus,
} from './dispatch-state.js';
import { closedGates, type ClosedBy } from './gates.decider.js';
import { openHalt } from './halts.decider.js';
import type { TaskKind } from './ready-queue.js';

/** One thing that a task waits for. */
type WaitsFor =
  | { readonly for: 'dependency'; readonly taskId: string; readonly status: TaskStatus['is'] }
  | { readonly for: 'time'; readonly untilMs: number }
  /** Nobody registered has a seat for its agent and model. */
  | ({ readonly for: 'seat' } & Pick<TaskKind, 'agent' | 'model' | 'host'>)
  | { readonly for: 'slot'; readonly workerId: string; readonly running: number }
  | ({ readonly for: 'gate'; readonly workerId: string } & ClosedBy)
  /** Nothing is in its way but those before it: the next claim that comes to it takes it. */
  | { readonly for: 'turn'; readonly aheadOfItsKind: number };

export interface Explanation {
  readonly taskId: string;
  readonly status: TaskStatus;
  /** With what its next attempt carries on; null = it begins anew. */
  readonly conversation: Conversation | null;
  /** What the attempt that runs is to be halted for. */
  readonly halt: HaltOrder | null;
  /** When its turn is, against others; null while it waits for what it depends on. */
  readonly dueMs: number | null;
  /** Empty when it waits for nothing, because it runs or has ended. */
  readonly waitsFor: readonly WaitsFor[];
}

/**
 * Why a task is where it is, by the same rules that decide claims.
 *
 * @throws {Refusal} `TASK_NOT_FOUND`
 */
export function explain(
  state: DispatchState,
  taskId: string,
  nowMs: number,
  budgets: readonly BudgetReading[],
): Explanation {
  const task = taskOf(state, taskId);
  const { status, conversation } = task;
  const running = status.is === 'running' ? state.running.get(status.attemptId) : undefined;
  const halt = (running && openHalt(running)) ?? null;
  const dueMs = task.readySinceMs === null ? null : dueMsOf(task);
  const waitsFor = [...reasons(state, task, nowMs, budgets)].slice(0, limits.reasonsExplainedMax);
  return { taskId, status, conversation, halt, dueMs, waitsFor };
}

function* reasons(
  state: DispatchState,
  task: Task,
  nowMs: number,
  budgets: readonly BudgetReading[],
): Generator<WaitsFor> {
  const { status } = task;
  if (status.is === 'waiting') {
    for (const taskId of status.missing) {
      yield { for: 'dependency', taskId, status: taskOf(state, taskId).status.is };
    }
  } else if (status.is === 'delayed' && status.notBeforeMs > nowMs) {
    yield { for: 'time', untilMs: status.notBeforeMs };
  } else if (status.is === 'ready' || status.is === 'delayed') {
    yield* workerReasons(state, task, nowMs, budgets);
  }
}

function* workerReasons(
  state: DispatchState,
  task: Task,
  nowMs: number,
  budgets: readonly BudgetReading[],
): Generator<WaitsFor> {
  const kind = kindOfTask(task);
  const found = new Map<string, WaitsFor>();
  let hasSeat = false;
  for (const worker of state.workers.values()) {
    const { workerId } = worker;
    const running = state.wip.get(`worker:${workerId}`) ?? 0;
    for (const seat of seatsFor(kind, worker)) {
      hasSeat = true;
      const closed = [...closedGates(state, kind, seat, workerId, { nowMs, budgets })];
      if (closed.length === 0 && running < worker.slots) {
        const aheadOfItsKind = state.ready.aheadInLine(task.spec.taskId, nowMs) ?? 0;
        yield { for: 'turn', aheadOfItsKind };
        return;
      }
      if (closed.length === 0) found.set(workerId, { for: 'slot', workerId, running });
      for (const gate of closed) {
        // The same gate stands before all workers: once is enough.
        found.set(JSON.stringify(gate), { for: 'gate', workerId, ...gate });
      }
    }
  }
  const { agent, model, host } = kind;
  if (hasSeat) yield* found.values();
  else yield { for: 'seat', agent, model, host };
}

import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import { released } from './attempts.decider.js';
import type { WorkerCommand } from './commands.js';
import { workerOf, type DispatchEvent, type DispatchState } from './dispatch-state.js';

/** Who comes to work, and who goes. */
export function decideWorker(command: WorkerCommand, state: DispatchState): DispatchEvent[] {
  const { nowMs: atMs } = command;
  if (command.type === 'register-worker') {
    const { worker } = command;
    const before = state.workers.get(worker.workerId);
    if (before === undefined && state.workers.size >= limits.workersMax) {
      const message = `${limits.workersMax} workers are registered, and no more are taken. Dismiss those that are gone.`;
      throw new Refusal('TOO_MANY_WORKERS', message, { workersMax: limits.workersMax });
    }
    const data = { ...worker, atMs };
    const isSame = JSON.stringify({ ...before, atMs }) === JSON.stringify(data);
    return isSame ? [] : [{ type: 'WorkerRegistered', data }];
  }
  const { workerId, reason } = command;
  workerOf(state, workerId);
  const held = [...state.running.values()].filter((it) => it.workerId === workerId);
  return [
    ...held.flatMap((attempt) => released(attempt, state, reason, atMs)),
    { type: 'WorkerGone', data: { workerId, reason, atMs } },
  ];
}

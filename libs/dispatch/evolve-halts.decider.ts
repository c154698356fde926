import type { DispatchEvent, HaltOrder, OwnState } from './dispatch-state.js';
import { change, put, queued } from './evolve-tasks.decider.js';

/** What events make of what is halted, and carried on. */
export function evolveHalt(state: OwnState, { type, data }: DispatchEvent): void {
  switch (type) {
    case 'AttemptHaltOrdered': {
      const { attemptId, how, reason, holder } = data;
      setHalt(state, attemptId, { how, reason, holder, isLifted: false });
      break;
    }
    case 'TaskPaused': {
      const { taskId, how, reason, holder, conversation } = data;
      change(state, taskId, { status: { is: 'paused', how, reason, holder }, conversation });
      break;
    }
    case 'TaskResumed':
      resumed(state, data.taskId, data.atMs);
      break;
    default:
      break;
  }
}

/** While it runs, it goes on once it has been halted. */
function resumed(state: OwnState, taskId: string, atMs: number): void {
  const task = state.tasks.get(taskId);
  if (task === undefined) return;
  const { status } = task;
  const halt = status.is === 'running' ? state.running.get(status.attemptId)?.halt : undefined;
  if (status.is !== 'running') put(state, queued(state, task, atMs));
  else if (halt) setHalt(state, status.attemptId, { ...halt, isLifted: true });
}

function setHalt(state: OwnState, attemptId: string, halt: HaltOrder): void {
  const attempt = state.running.get(attemptId);
  if (attempt !== undefined) state.running.set(attemptId, { ...attempt, halt });
}

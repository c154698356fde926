import type { AgentName } from '#eventstore/vocabulary/shapes.events.js';
import type { RecordedDomainEvent } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { Newest } from './newest.policy.js';

interface TaskKnown {
  agent: AgentName;
  /** In which it was worked on last. */
  session: { readonly agent: AgentName; readonly sessionId: string } | null;
  error: string;
  times: number;
  sinceMs: number;
  isRaised: boolean;
}

export interface AttemptRow {
  readonly agent: AgentName;
  readonly sessionId: string;
  readonly taskId: string;
  readonly times: number;
  readonly sinceMs: number;
  readonly error: string;
}

/**
 * Tasks whose attempts fail with the same error again and again. It is told when such a task is claimed
 * once more, so that a task that is parked instead, which says so itself, is not told of twice; and
 * only where an agent worked on it, since nothing else costs money. A provider that wants to be left
 * alone is told of by cool-downs.
 */
export class FailedAttempts {
  private readonly tasks = new Newest<TaskKnown>(limits.sessionsWatchedMax);

  observe(event: RecordedDomainEvent, atMs: number): AttemptRow | undefined {
    switch (event.type) {
      case 'TaskClaimed':
        return this.claimed(event.data.taskId, event.data.agent);
      case 'AttemptStarted':
      case 'ProgressReported': {
        const { taskId, sessionId } = event.data;
        const task = this.tasks.get(taskId);
        if (task !== undefined && sessionId !== null)
          task.session = { agent: task.agent, sessionId };
        return undefined;
      }
      case 'AttemptFailed':
        if (event.data.cause !== 'cool-down')
          this.failed(event.data.taskId, event.data.error, atMs);
        return undefined;
      case 'AttemptCompleted':
      case 'TaskParked':
      case 'TaskCancelled':
      case 'TaskReplayed':
        this.tasks.delete(event.data.taskId);
        return undefined;
      default:
        return undefined;
    }
  }

  /** It was raised, as the log says. */
  raised(taskId: string): void {
    const task = this.tasks.get(taskId);
    if (task !== undefined) task.isRaised = true;
  }

  private claimed(taskId: string, agent: AgentName): AttemptRow | undefined {
    const task = this.tasks.touch(taskId, () => ({
      ...{ agent, session: null, error: '', times: 0, sinceMs: 0, isRaised: false },
    }));
    task.agent = agent;
    const { session, times, sinceMs, error, isRaised } = task;
    if (times < limits.failedAttemptsAlikeMax || isRaised || session === null) return undefined;
    task.isRaised = true;
    return { ...session, taskId, times, sinceMs, error };
  }

  private failed(taskId: string, error: string, atMs: number): void {
    const task = this.tasks.get(taskId);
    if (task === undefined) return;
    const isSame = task.times > 0 && masked(error) === masked(task.error);
    if (!isSame) Object.assign(task, { times: 0, sinceMs: atMs, isRaised: false });
    task.times += 1;
    task.error = error;
  }
}

/** Without what differs from one occurrence of an error to the next: ids, times, counts. */
function masked(error: string): string {
  return error.replace(/\b[0-9a-f-]{8,}\b|\d+/gi, '#');
}

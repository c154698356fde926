import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { Newest } from './newest.policy.js';

interface RunningAttempt extends Pick<DataOf<'TaskClaimed'>, 'agent' | 'model'> {
  /** Of the session it works in, once that is known. */
  sessionKey: string | undefined;
}

/** Which session the running attempt of a task works in. A task has one at a time. */
export class RunningAttempts {
  private readonly ofTasks = new Newest<RunningAttempt>(limits.sessionsWatchedMax);

  begin({ taskId, agent, model }: DataOf<'TaskClaimed'>): void {
    this.ofTasks.delete(taskId);
    this.ofTasks.touch(taskId, () => ({ agent, model, sessionKey: undefined }));
  }

  of(taskId: string): Readonly<RunningAttempt> | undefined {
    return this.ofTasks.get(taskId);
  }

  /** @returns the attempt, where one of this task is running */
  bind(taskId: string, sessionKey: string): Readonly<RunningAttempt> | undefined {
    const attempt = this.ofTasks.get(taskId);
    if (attempt !== undefined) attempt.sessionKey = sessionKey;
    return attempt;
  }

  /** @returns the key of the session it worked in, where that is known */
  end(taskId: string): string | undefined {
    const key = this.ofTasks.get(taskId)?.sessionKey;
    this.ofTasks.delete(taskId);
    return key;
  }
}

import { isNotFound } from '../client.js';
import { Failure } from '../failure.js';

/** Ids of tasks are given in full: of 250,000 tasks the server cannot be asked for those that begin so. */
export async function findingTask<Answer>(
  taskId: string,
  asking: Promise<Answer>,
): Promise<Answer> {
  return asking.catch((error: unknown) => {
    if (!(isNotFound(error) && error instanceof Failure && error.code === 'TASK_NOT_FOUND')) {
      throw error;
    }
    throw new Failure(
      'task_not_found',
      `There is no task "${taskId}".`,
      'Give its whole id, as "tri-agent-ctl tasks list" shows it.',
    );
  });
}

import type { Asker } from '../client.js';
import { findingTask } from '../dispatch/find-task.js';
import * as shapes from '../dispatch/shapes.js';
import type { Output } from '../output.js';
import { clean } from '#platform/harmless-text.js';

/** What a person does with one task, and how it is told afterwards. */
const moves = {
  cancel: () => 'What depends on it is cancelled with it.',
  retry: (task: shapes.Task) => seeWhy(task),
  priority: ({ lane }: shapes.Task) => `Its lane is ${clean(lane)}.`,
  adopt: () => 'The late result is its result now.',
  pause: ({ taskId, state }: shapes.Task) => {
    const goOn = `Have it carried on: tri-agent-ctl tasks resume ${clean(taskId)}`;
    return state === 'paused' ? goOn : `Its agent is being ended; then it is paused. ${goOn}`;
  },
  resume: (task: shapes.Task) => seeWhy(task),
  park: () => 'It is among the dead letters until it is replayed.',
} as const;
export type Move = keyof typeof moves;

function seeWhy({ taskId }: shapes.Task): string {
  return `See what it waits for: tri-agent-ctl tasks why ${clean(taskId)}`;
}

/** @throws {Failure} with the server's reason when the task cannot be moved so. */
export async function moveTask(
  client: Asker,
  output: Output,
  taskId: string,
  move: Move,
  wish: object,
): Promise<void> {
  const asked = client.post(shapes.taskPath(taskId, move), shapes.task, wish);
  const task = await findingTask(taskId, asked);
  if (output.json) {
    output.document(task);
    return;
  }
  output.lines(
    `Task ${clean(task.taskId)} is ${clean(task.state)}.`,
    output.paint('dim', moves[move](task)),
  );
}

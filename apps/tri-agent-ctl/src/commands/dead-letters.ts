import { limits } from '#kernel/limits.js';
import type { Asker } from '../client.js';
import * as shapes from '../dispatch/shapes.js';
import { exitCode, Failure } from '../failure.js';
import { usageFailure, type Output } from '../output.js';
import { withBar } from '../render/bar.js';
import { formatCount } from '../render/numbers.js';

interface Replayed {
  readonly replayed: string[];
  readonly refused: { taskId: string; code: string; message: string }[];
}

/** Has dead letters run again. What one of them is refused for does not keep the others. Returns the exit code. */
export async function replay(
  client: Asker,
  output: Output,
  ids: readonly string[],
  wish: { readonly all: boolean },
): Promise<number> {
  if (wish.all === ids.length > 0) {
    const hint = '"tri-agent-ctl dead-letter list" shows what there is.';
    throw usageFailure('Give ids of dead letters, or --all.', hint);
  }
  const chosen = wish.all ? await allParked(client) : [...new Set(ids)];
  const answer: Replayed = { replayed: [], refused: [] };
  await withBar(output.io, 'Replaying {bar} {value} of {total}', async (bar) => {
    bar.setTotal(chosen.length);
    for (const [index, taskId] of chosen.entries()) {
      await replayOne(client, taskId, answer);
      bar.update(index + 1);
    }
  });
  if (output.json) output.document(answer);
  else report(output, answer);
  return answer.refused.length === 0 ? exitCode.ok : exitCode.failed;
}

/** All are found before the first is replayed, so that the pages do not shift meanwhile. */
async function allParked(client: Asker): Promise<string[]> {
  const filter = { state: 'parked' };
  const { items } = await client.list('/api/v1/tasks', shapes.task, limits.tasksOpenMax, filter);
  return items.map(({ taskId }) => taskId);
}

async function replayOne(client: Asker, taskId: string, answer: Replayed): Promise<void> {
  try {
    await client.post(shapes.taskPath(taskId, 'replay'), shapes.task, {});
    answer.replayed.push(taskId);
  } catch (error) {
    const isOfThisTask = error instanceof Failure && [404, 409].includes(error.httpStatus ?? 0);
    if (isOfThisTask) {
      answer.refused.push({ taskId, code: error.code, message: error.message });
    } else if (error instanceof Failure) {
      const { code, message, hint, exit, httpStatus } = error;
      const so = `${formatCount(answer.replayed.length)} were replayed before that.`;
      throw new Failure(code, `${message} ${so}`, hint, exit, httpStatus);
    } else throw error;
  }
}

function report(output: Output, { replayed, refused }: Replayed): void {
  const count = replayed.length;
  if (count === 0) output.lines('Nothing was replayed.');
  else {
    output.lines(
      `${formatCount(count)} ${count === 1 ? 'dead letter runs' : 'dead letters run'} again.`,
      output.paint('dim', 'See how they get on: tri-agent-ctl tasks list'),
    );
  }
  if (refused.length === 0) return;
  output.note(`Refused: ${formatCount(refused.length)}.`);
  for (const { taskId, message } of refused) output.note(`  ${taskId}: ${message}`);
}

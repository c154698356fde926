import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import type { Asker } from '../client.js';
import { findingTask } from '../dispatch/find-task.js';
import * as shapes from '../dispatch/shapes.js';
import type { Output } from '../output.js';
import { clean } from '#platform/harmless-text.js';

export interface LogsWish {
  readonly follow?: true;
  readonly attempt?: string;
}

/** What the agent of a task printed; with `follow` until its attempt has ended. */
export async function showLogs(
  client: Asker,
  output: Output,
  taskId: string,
  { follow, attempt }: LogsWish,
): Promise<void> {
  let seen = 0;
  for await (const piece of outputOf(client, taskId, attempt, follow === true, output.io.signal)) {
    // What it changed is asked for apart.
    if (piece.kind === 'diff') continue;
    seen += 1;
    if (output.json) output.record(piece);
    else printPiece(output, piece);
  }
  if (seen === 0 && !output.json) {
    output.lines('Nothing was printed, or nothing is kept of it any more.');
  }
}

export function printPiece(output: Output, { kind, text }: shapes.OutputPiece): void {
  const lines = text.split(/\r?\n/).map((line) => clean(line));
  output.lines(...lines.map((line) => (kind === 'progress' ? output.paint('dim', line) : line)));
}

/** Pieces as they come in. Ends at once when nothing is to be followed, else with the attempt. */
export async function* outputOf(
  client: Asker,
  taskId: string,
  attempt: string | undefined,
  follow: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<shapes.OutputPiece> {
  let from = 0;
  let attemptId = attempt;
  while (!signal?.aborted) {
    const query = { from, ...(attemptId !== undefined && { attemptId }) };
    const asked = client.get(shapes.taskPath(taskId, 'output'), shapes.outputPage, query);
    const page = await findingTask(taskId, asked);
    yield* page.items;
    from = page.next;
    // The first attempt that there is, and no other that may come after it.
    attemptId ??= page.attemptId ?? undefined;
    if (page.items.length > 0) continue;
    if (!follow || page.hasEnded) return;
    await wait(limits.outputPollMs, undefined, { ...(signal && { signal }) }).catch(
      () => undefined,
    );
  }
}

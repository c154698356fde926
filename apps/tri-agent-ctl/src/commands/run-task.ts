import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import { isNotFound, type Asker } from '../client.js';
import { promptFault } from '../dispatch/prompt-files.js';
import * as shapes from '../dispatch/shapes.js';
import { submitting } from '../dispatch/submitting.js';
import { agentOf, type AgentWord } from '../dispatch/words.js';
import { exitCode, Failure } from '../failure.js';
import { usageFailure, type Output } from '../output.js';
import { formatCost } from '../render/numbers.js';
import { clean } from '#platform/harmless-text.js';
import * as sessionShapes from '../shapes.js';
import { outputOf, printPiece } from './task-output.js';

export interface RunWish {
  readonly agent?: AgentWord;
  readonly model?: string;
  readonly cwd?: string;
  readonly permissionMode?: string;
  /** Milliseconds. */
  readonly timeout?: number;
  /** US dollars. */
  readonly maxCost?: string;
  readonly allowTool?: readonly string[];
}

const ended = ['completed', 'parked', 'cancelled'];

/**
 * Submits a task, shows what its agent prints, and what came of it.
 *
 * @returns the exit code: 0 when the task completed
 */
export async function runTask(
  client: Asker,
  output: Output,
  words: readonly string[],
  { agent, model, cwd, permissionMode, timeout, maxCost, allowTool }: RunWish,
): Promise<number> {
  const prompt = words.join(' ');
  const fault = promptFault(prompt);
  if (fault !== undefined) {
    throw usageFailure(`The prompt ${fault}.`, 'Give what is to be done as words.');
  }
  const body = {
    prompt,
    agent: agent === undefined ? undefined : agentOf(agent),
    model,
    directory: resolve(output.io.cwd ?? '.', cwd ?? '.'),
    permissionMode,
    maxCostUsd: maxCost,
    allowedTools: allowTool,
    timeoutMs: timeout,
    // A person looks on and can say it again.
    retries: 0,
    lane: 'critical',
  };
  const { taskId } = await submitting(client.post('/api/v1/tasks', shapes.submitted, body));
  output.note(`Task ${taskId}; it goes on when you leave (Ctrl-C).`);
  const waiting = new AbortController();
  const saysWhy = sayWhyItWaits(client, output, taskId, waiting.signal);
  for await (const piece of outputOf(client, taskId, undefined, true, output.io.signal)) {
    waiting.abort();
    if (!output.json && piece.kind !== 'diff') printPiece(output, piece);
  }
  waiting.abort();
  await saysWhy;
  if (output.io.signal?.aborted) return exitCode.ok;
  const task = await untilEnded(client, output, taskId);
  const { result } = await client.get(shapes.taskPath(taskId, 'result'), shapes.taskResult);
  const session = await sessionOf(client, output, task);
  if (output.json) {
    const { state, agent: asked, sessionId = null } = task;
    const ran = task.attemptList?.at(-1)?.agent ?? asked;
    const tokens = session?.tokens ?? null;
    const costUsd = session?.costUsd ?? null;
    output.document({ taskId, state, agent: ran, sessionId, tokens, costUsd, result });
  } else {
    tell(output, task, result ?? null, session);
  }
  return task.state === 'completed' ? exitCode.ok : exitCode.failed;
}

function tell(
  output: Output,
  task: shapes.TaskDetail,
  result: string | null,
  session: sessionShapes.Session | undefined,
): void {
  const cost = session && formatCost(session.costUsd, session.unpricedRequests);
  const money = cost === undefined ? '' : `, ${cost}`;
  output.lines(
    '',
    ...(result ?? '').split(/\r?\n/).map((line) => clean(line)),
    '',
    output.paint('bold', `Task ${clean(task.taskId)} is ${clean(task.state)}${money}.`),
  );
  if (task.state !== 'completed' && task.reason) output.lines(`  ${clean(task.reason)}`);
}

/** A task that nobody takes would wait without a word. */
async function sayWhyItWaits(
  client: Asker,
  output: Output,
  taskId: string,
  over: AbortSignal,
): Promise<void> {
  const left = output.io.signal;
  const signal = left === undefined ? over : AbortSignal.any([over, left]);
  try {
    await wait(limits.waitUnexplainedMs, undefined, { signal });
    const { state, now } = await client.get(shapes.taskPath(taskId, 'why'), shapes.why);
    if (state === 'ready') for (const sentence of now) output.note(sentence);
  } catch {
    // Only a word on the side: what matters is asked for by others.
  }
}

async function untilEnded(
  client: Asker,
  output: Output,
  taskId: string,
): Promise<shapes.TaskDetail> {
  const { signal } = output.io;
  for (let before = ''; ;) {
    const task = await client.get(shapes.taskPath(taskId), shapes.taskDetail);
    if (ended.includes(task.state) || signal?.aborted) return task;
    if (task.state === 'paused' && before !== task.state) {
      output.note(`Task ${taskId} is paused. Go on: tri-agent-ctl tasks resume ${taskId}`);
    }
    before = task.state;
    await wait(limits.outputPollMs, undefined, { ...(signal && { signal }) }).catch(
      () => undefined,
    );
  }
}

/**
 * What the telemetry of its session told; undefined when there was none. An agent has told all before it
 * ends, and its end is read after it: only a server that cannot answer now has to be waited for.
 */
async function sessionOf(
  client: Asker,
  output: Output,
  { sessionId, attemptList }: shapes.TaskDetail,
): Promise<sessionShapes.Session | undefined> {
  const id = sessionId ?? attemptList?.at(-1)?.sessionId;
  if (!id) return undefined;
  const { io } = output;
  const path = `/api/v1/sessions/${encodeURIComponent(id)}`;
  const givenUpAtMs = io.now().getTime() + limits.figuresPatienceMs;
  for (;;) {
    try {
      return await client.get(path, sessionShapes.session);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!(error instanceof Failure)) throw error;
      if (io.signal?.aborted || io.now().getTime() >= givenUpAtMs) {
        output.note(`What it has used cannot be told now: ${error.message}`);
        return undefined;
      }
    }
    await wait(limits.outputPollMs, undefined, { ...(io.signal && { signal: io.signal }) }).catch(
      () => undefined,
    );
  }
}

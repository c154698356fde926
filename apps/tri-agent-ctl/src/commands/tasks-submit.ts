import { limits } from '#kernel/limits.js';
import type { Asker } from '../client.js';
import { resolve } from 'node:path';
import { promptBytesMax, promptFault } from '../dispatch/prompt-files.js';
import { nameOf, readText } from '../dispatch/read-text.js';
import * as shapes from '../dispatch/shapes.js';
import { submitting } from '../dispatch/submitting.js';
import { agentOf, type AgentWord } from '../dispatch/words.js';
import { Failure } from '../failure.js';
import { usageFailure, type Output } from '../output.js';
import { clean } from '#platform/harmless-text.js';

/** The options of a single task, as they are named on the command line. */
export interface SubmitWish {
  readonly promptFile?: string;
  readonly agent?: AgentWord;
  readonly model?: string;
  readonly shard?: string;
  readonly lane?: string;
  readonly size?: string;
  readonly directory?: string;
  readonly repository?: string;
  readonly ref?: string;
  readonly dependsOn?: readonly string[];
  readonly team?: string;
  readonly project?: string;
  readonly tag?: readonly string[];
  /** US dollars. */
  readonly budget?: string;
  /** Milliseconds. */
  readonly timeout?: number;
  /** US dollars. */
  readonly maxCost?: string;
  readonly allowTool?: readonly string[];
  readonly retries?: number;
  readonly permissionMode?: string;
  readonly idempotencyKey?: string;
}

export async function submitTask(
  client: Asker,
  output: Output,
  words: readonly string[],
  wish: SubmitWish,
): Promise<void> {
  const { promptFile, agent, tag, budget, maxCost, allowTool, timeout, ...same } = wish;
  if (same.ref !== undefined && same.repository === undefined) {
    throw usageFailure('A ref is of a repository.', 'Give --repository, too.');
  }
  const body = {
    ...same,
    prompt: await promptOf(output, words, promptFile),
    agent: agent === undefined ? undefined : agentOf(agent),
    tags: tag,
    budgetUsd: budget,
    maxCostUsd: maxCost,
    allowedTools: allowTool,
    timeoutMs: timeout,
  };
  const answer = await submitting(client.post('/api/v1/tasks', shapes.submitted, body));
  if (output.json) {
    output.document(answer);
    return;
  }
  const taskId = clean(answer.taskId);
  const was = answer.created ? 'was submitted' : 'had been submitted already, under that key';
  output.lines(
    `Task ${taskId} ${was}.`,
    output.paint('dim', `See what it waits for: tri-agent-ctl tasks why ${taskId}`),
  );
}

/** The prompt, checked before it is sent. */
async function promptOf(
  { io }: Output,
  words: readonly string[],
  file: string | undefined,
): Promise<string> {
  const hint = 'Give it as words, or with --prompt-file (- is what is piped in).';
  if (words.length > 0 && file !== undefined) throw usageFailure('There are two prompts.', hint);
  if (words.length === 0 && file === undefined) throw usageFailure('A prompt is missing.', hint);
  const path = file === undefined || file === '-' ? file : resolve(io.cwd ?? '.', file);
  const prompt = path === undefined ? words.join(' ') : await readText(io, path, promptBytesMax);
  const fault = promptFault(prompt);
  if (fault === undefined) return prompt;
  throw new Failure(
    'prompt_unusable',
    `${path === undefined ? 'The prompt' : nameOf(path)} ${fault}.`,
    `Nothing was submitted. A prompt has 1 to ${limits.promptCharactersMax} characters (limits.promptCharactersMax).`,
  );
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  AgentRunner,
  Exit,
  Invocation,
  News,
  Outcome,
  RunOptions,
  Task,
} from '../src/agents/agent.js';

/** What tests of runners share. */

export const exited: Exit = { exitCode: 0, signal: null, stderrTail: '' };

export function taskWith(wish: Partial<Task> = {}): Task {
  return {
    taskId: 'task-1',
    attemptId: 'attempt-1',
    prompt: 'Do some work.',
    model: null,
    team: null,
    project: null,
    permissionMode: null,
    allowedTools: [],
    resumedSessionId: null,
    maxCostUsd: null,
    ...wish,
  };
}

export function optionsWith(wish: Partial<RunOptions> = {}): RunOptions {
  return {
    newSessionId: '11111111-1111-4111-8111-111111111111',
    maySkipPermissions: false,
    environment: {},
    passedVariables: [],
    telemetry: null,
    ...wish,
  };
}

/** @throws {Error} where it is refused. */
export function started(
  runner: AgentRunner,
  wish: Partial<Task> = {},
  options: Partial<RunOptions> = {},
): Invocation {
  const invocation = runner.invocation(taskWith(wish), optionsWith(options));
  if (invocation.is === 'refused') throw new Error(invocation.error);
  return invocation;
}

export function refusalOf(
  runner: AgentRunner,
  wish: Partial<Task> = {},
  options: Partial<RunOptions> = {},
): string | undefined {
  const invocation = runner.invocation(taskWith(wish), optionsWith(options));
  return invocation.is === 'refused' ? invocation.error : undefined;
}

export interface Run {
  readonly news: readonly News[];
  readonly outcome: Outcome;
}

/** Lines as text, or as the objects that they hold. */
export function run(
  runner: AgentRunner,
  lines: readonly unknown[],
  exit: Partial<Exit> = {},
  isResumed = false,
): Run {
  const reader = runner.reader(isResumed);
  const news = lines.flatMap((line) =>
    reader.line(typeof line === 'string' ? line : JSON.stringify(line), false),
  );
  return { news, outcome: reader.end({ ...exited, ...exit }) };
}

/** After which of these lines the agent is at a pause in its work. */
export function pausesIn(runner: AgentRunner, lines: readonly unknown[]): boolean[] {
  const reader = runner.reader(false);
  return lines.map((line) => {
    reader.line(typeof line === 'string' ? line : JSON.stringify(line), false);
    return reader.isAtPause;
  });
}

/** The lines that a real client printed. */
export function recorded(agent: 'claude' | 'codex' | 'gemini', name: string): string[] {
  const file = join(import.meta.dirname, 'recordings', agent, `${name}.jsonl`);
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Asker } from '../client.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { clean } from '#platform/harmless-text.js';
import { outputOf } from './task-output.js';

export interface DiffWish {
  readonly attempt?: string;
}

/** What a task changed in its repository. For a terminal it is made harmless; piped on, it is as it is. */
export async function showDiff(
  client: Asker,
  output: Output,
  taskId: string,
  { attempt }: DiffWish,
): Promise<void> {
  const diff = await diffOf(client, output, taskId, attempt);
  if (output.json) output.document({ taskId, diff });
  else if (!output.io.isTTY) output.text(diff);
  else output.lines(...diff.split('\n').map((line) => paintLine(output, clean(line))));
}

/** Applies it to a checkout, as `git apply --3way` does: what does not fit is left to solve. */
export async function applyDiff(
  client: Asker,
  output: Output,
  taskId: string,
  { attempt, cwd }: DiffWish & { readonly cwd?: string },
): Promise<void> {
  const diff = await diffOf(client, output, taskId, attempt);
  const folder = resolve(output.io.cwd ?? '.', cwd ?? '.');
  const git = spawn('git', ['apply', '--3way', '--whitespace=nowarn', '-'], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let told = '';
  git.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  git.stdin.on('error', () => undefined);
  git.stdin.end(diff);
  const [exit] = (await once(git, 'close').catch((error: unknown) => {
    throw new Failure(
      'git_missing',
      `git could not be started: ${error instanceof Error ? error.message : String(error)}.`,
      'Install git, or save the diff with "tri-agent-ctl tasks diff <id> > work.patch".',
    );
  })) as [number | null];
  if (exit !== 0) {
    throw new Failure(
      'diff_not_applied',
      `git could not apply it: ${clean(told.trim().split('\n')[0] ?? '')}`,
      `Look at it with "tri-agent-ctl tasks diff ${taskId}", or merge its branch; "tasks logs ${taskId}" names it.`,
    );
  }
  if (output.json) output.document({ taskId, applied: true });
  else
    output.lines(
      `What task ${clean(taskId)} changed is in ${folder} now, staged and not committed.`,
    );
}

async function diffOf(
  client: Asker,
  { io }: Output,
  taskId: string,
  attempt: string | undefined,
): Promise<string> {
  let diff = '';
  for await (const { kind, text } of outputOf(client, taskId, attempt, false, io.signal)) {
    if (kind === 'diff') diff += text;
  }
  if (diff !== '') return diff;
  throw new Failure(
    'no_diff',
    `Of task "${taskId}" no changes are known.`,
    'Only tasks with a repository bring changes home. "tasks logs" tells what its agent did.',
  );
}

function paintLine({ paint }: Output, line: string): string {
  if (/^(\+\+\+|---|diff|index|new|deleted|similarity|rename)/.test(line))
    return paint('bold', line);
  if (line.startsWith('@@')) return paint('cyan', line);
  if (line.startsWith('+')) return paint('green', line);
  return line.startsWith('-') ? paint('red', line) : line;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { limits } from '#kernel/limits.js';
import { clean } from '#platform/harmless-text.js';
import { branchOf, nameOf } from '#platform/work-names.js';
import type { Asker } from '../client.js';
import { findingTask } from '../dispatch/find-task.js';
import * as shapes from '../dispatch/shapes.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';

/** Where the work of a task is on this host. */
interface Work {
  /** Where its agent works, or worked, and what it left still lies. */
  readonly folder: string | null;
  readonly branch: string | null;
  /** The repository that has the branch: the task's own, or a worker's mirror of it. */
  readonly repository: string | null;
  /** What to type to look at it. */
  readonly checkout: string | null;
}

/**
 * Tells where the work of a task is, and on a terminal opens its folder in the editor.
 *
 * @param home the data folder, in which the workers of this host have theirs
 * @throws {Failure} when nothing of it is on this host
 */
export async function openTask(
  client: Asker,
  output: Output,
  taskId: string,
  home: string,
): Promise<void> {
  const asked = client.get(shapes.taskPath(taskId), shapes.taskDetail);
  const task = await findingTask(taskId, asked);
  const work = await workOf(task, home);
  if (output.json) {
    output.document({ taskId: task.taskId, state: task.state, ...work });
    return;
  }
  const { folder, branch, checkout } = work;
  if (folder === null && branch === null) throw nothingToOpen(taskId);
  if (branch !== null) output.lines(`branch  ${clean(branch)}`);
  if (folder !== null) output.lines(`folder  ${clean(folder)}`);
  if (checkout !== null) output.lines(output.paint('dim', `Look at it: ${clean(checkout)}`));
  if (folder !== null) await edit(output, folder);
}

async function workOf(task: shapes.TaskDetail, home: string): Promise<Work> {
  const attemptIds = (task.attemptList ?? []).map(({ attemptId }) => attemptId).reverse();
  const workers = workFoldersIn(home);
  const places = workers.flatMap((work) =>
    attemptIds.map((attemptId) => join(work, 'attempts', nameOf(attemptId))),
  );
  const folder = [task.directory, ...places].find((it) => it && existsSync(it)) ?? null;
  const { repository } = task;
  const own = repository && isAbsolute(repository) ? [repository] : [];
  const mirrors = repository && own.length === 0 ? workers.flatMap(mirrorsIn) : [];
  for (const candidate of [...own, ...mirrors]) {
    const branch = await branchIn(candidate, task.taskId, attemptIds);
    if (branch === undefined) continue;
    const where = { folder, branch, repository: candidate };
    return { ...where, checkout: checkoutOf(where, own.length > 0) };
  }
  const checkout = folder === null ? null : `cd ${quoted(folder)}`;
  return { folder, branch: null, repository: null, checkout };
}

function workFoldersIn(home: string): string[] {
  const workers = join(home, 'workers');
  return namesIn(workers).map((name) => join(workers, name, 'work'));
}

function mirrorsIn(work: string): string[] {
  const mirrors = join(work, 'mirrors');
  return namesIn(mirrors).map((name) => join(mirrors, name));
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).slice(0, limits.listItemsMax) : [];
}

/** Of branches only names that we make count: an agent may have made others, and what they hold is anybody's. */
async function branchIn(
  repository: string,
  taskId: string,
  attemptIds: readonly string[],
): Promise<string | undefined> {
  const wanted = attemptIds.map((attemptId) => branchOf({ taskId, attemptId }));
  const pattern = `refs/heads/tri-agent/${nameOf(taskId)}/`;
  const git = spawn('git', ['for-each-ref', '--format=%(refname:short)', pattern], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let told = '';
  git.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
  await once(git, 'close').catch(() => undefined);
  const there = new Set(told.split('\n'));
  return wanted.find((branch) => there.has(branch));
}

function checkoutOf(
  { folder, branch, repository }: Pick<Work, 'folder'> & Record<'branch' | 'repository', string>,
  isOwn: boolean,
): string {
  // Git checks out no branch twice.
  if (folder !== null) return `cd ${quoted(folder)}`;
  if (isOwn) return `git -C ${quoted(repository)} switch ${quoted(branch)}`;
  return `git fetch ${quoted(repository)} ${quoted(`${branch}:${branch}`)}`;
}

/** For a shell, whatever it holds. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Git and others start it so, too: a person's setting may be a command with options. */
async function edit({ io }: Output, folder: string): Promise<void> {
  const editor = io.env['VISUAL'] || io.env['EDITOR'];
  if (!editor || !io.isTTY) return;
  const shell = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'editor', folder], {
    stdio: 'inherit',
    env: { ...io.env },
  });
  const [exit] = (await once(shell, 'close')) as [number | null];
  if (exit === 0) return;
  throw new Failure(
    'editor_failed',
    `The editor (${clean(editor)}) ended with exit code ${exit ?? 'none'}.`,
    'Set VISUAL or EDITOR to one that opens folders, or open the folder yourself.',
  );
}

function nothingToOpen(taskId: string): Failure {
  return new Failure(
    'nothing_to_open',
    `Of task "${taskId}" there is neither a branch nor a folder on this host.`,
    'It has not begun, ran on another host, or left nothing. "tasks show" names its worker, "tasks diff" what it changed.',
  );
}

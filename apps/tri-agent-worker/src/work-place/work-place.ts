import { mkdir, realpath } from 'node:fs/promises';
import { limits } from '#kernel/limits.js';
import { allowedFolder } from './allowed-roots.js';
import { isRealFolder } from './folders.js';
import { finish, remove, untouched, type WorkResult } from './finish.js';
import { explained, requireGit, withoutPassword } from './git-faults.js';
import { branchOf } from '#platform/work-names.js';
import {
  changeRecord,
  makeRecord,
  placeOf,
  recordOf,
  removeRecord,
  type PlaceRecord,
} from './records.js';
import { openRepository } from './repository.js';
import { partsOf, type WorkOrder, type WorkPlaceRules } from './rules.js';
import type { Ending } from './save-work.js';
import { WorkPlaceError } from './work-place-error.js';
import { addBranch, addWorktree } from './worktree.js';

/** Where an agent works on an attempt. */
export interface WorkPlace {
  /** Where the agent is started; a real path. */
  readonly directory: string;
  /**
   * Saves what the attempt changed and tidies up. To be called once nothing that the agent started runs
   * any more; a second call answers what the first one did.
   *
   * @throws {WorkPlaceError} when it could not be saved. The work still lies in `directory`.
   */
  finish(ending: Ending): Promise<WorkResult>;
}

/**
 * The directory that the task names, a worktree of its repository on a branch of its own, or, where it
 * names neither, an empty folder.
 *
 * @throws {WorkPlaceError} one sentence, and whether trying again may help. Nothing is left behind.
 */
export async function prepare(order: WorkOrder, rules: WorkPlaceRules): Promise<WorkPlace> {
  const { directory, repository, ref } = order;
  if (directory !== null && repository !== null) {
    throw new WorkPlaceError('The task names a directory and a repository: one of them.', false);
  }
  if (ref !== null && repository === null) {
    throw new WorkPlaceError(`The task names the ref ${ref} and no repository.`, false);
  }
  if (directory !== null) {
    const allowed = await allowedFolder(directory, rules);
    return { directory: allowed, finish: () => Promise.resolve(untouched) };
  }
  const record = await explained('No work place can be made', async () => {
    await mkdir(partsOf(rules).attempts, { recursive: true, mode: 0o700 });
    // Every path in a record is a real one: a link in its place later on is an agent's doing.
    const real = { ...rules, folder: await realpath(rules.folder) };
    return repository === null
      ? prepareFolder(order, real)
      : prepareWorktree(order, repository, real);
  });
  return placeAt(record, rules);
}

/** The place in which an attempt began that was halted there; undefined where it is gone. */
export async function reopen(
  attemptId: string,
  rules: WorkPlaceRules,
): Promise<WorkPlace | undefined> {
  const record = await recordOf(rules, attemptId);
  if (record === undefined || record.endedAt !== null) return undefined;
  return (await isRealFolder(record.directory)) ? placeAt(record, rules) : undefined;
}

function placeAt(record: PlaceRecord, rules: WorkPlaceRules): WorkPlace {
  let finished: Promise<WorkResult> | undefined;
  return {
    directory: record.directory,
    finish: (ending) => (finished ??= finish(record, ending, rules)),
  };
}

function recordFor({ taskId, attemptId }: WorkOrder, rules: WorkPlaceRules) {
  return { taskId, attemptId, directory: placeOf(rules, attemptId), worktree: null, endedAt: null };
}

async function prepareFolder(order: WorkOrder, rules: WorkPlaceRules): Promise<PlaceRecord> {
  const record = recordFor(order, rules);
  await makeRecord(rules, record);
  await mkdir(record.directory, { mode: 0o700 });
  return record;
}

async function prepareWorktree(
  order: WorkOrder,
  repository: string,
  rules: WorkPlaceRules,
): Promise<PlaceRecord> {
  const shown = withoutPassword(repository);
  if (repository.length > limits.freeTextCharactersMax) {
    throw new WorkPlaceError('The address of the repository is too long.', false);
  }
  await requireGit();
  const { gitDir, base } = await openRepository(repository, order.ref, rules);
  const worktree = { repository: gitDir, branch: branchOf(order), base, administration: null };
  const record: PlaceRecord = { ...recordFor(order, rules), worktree };
  await makeRecord(rules, record);
  return explained(`No worktree of the repository ${shown} can be made`, async () => {
    try {
      await addBranch(worktree);
    } catch (error) {
      await removeRecord(rules, record);
      throw error;
    }
    try {
      const administration = await addWorktree(rules, record.directory, worktree);
      const ready = { ...record, worktree: { ...worktree, administration } };
      await changeRecord(rules, ready);
      return ready;
    } catch (error) {
      await remove(record, rules);
      throw error;
    }
  });
}

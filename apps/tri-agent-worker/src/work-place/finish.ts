import { readdir } from 'node:fs/promises';
import { limits } from '#kernel/limits.js';
import { isRealFolder } from './folders.js';
import { explained } from './git-faults.js';
import { changeRecord, removeRecord, type PlaceRecord, type Worktree } from './records.js';
import type { WorkPlaceRules } from './rules.js';
import { detach, saveWork, summaryOf, type Ending, type Summary } from './save-work.js';
import { removePlace, removeUnchangedBranch } from './worktree.js';

/** What an attempt changed in a repository. The branch stays until a person deletes it. */
interface Changes extends Summary {
  /** The repository that holds the branch: the task's own, or the worker's mirror of a URL. */
  readonly repository: string;
  readonly branch: string;
  /** The commits at which the attempt began, and ended. */
  readonly base: string;
  readonly head: string;
}

export interface WorkResult {
  /** Null when nothing was changed, and where the place was no worktree. */
  readonly changes: Changes | null;
  /** The folder that is kept for a while because it holds what is in no branch; else null. */
  readonly keptIn: string | null;
  /** What of it is in no branch, at most `limits.workLeftOutNamesMax` names as the agent chose them. */
  readonly leftOut: readonly string[];
  readonly leftOutCount: number;
}

/** Of an attempt that worked in a directory that is not ours: nothing is known and nothing is touched. */
export const untouched: WorkResult = { changes: null, keptIn: null, leftOut: [], leftOutCount: 0 };

/**
 * Saves what an attempt left and removes its place, or keeps it when not all could be saved.
 *
 * @throws {WorkPlaceError} when the work could not be saved. It still lies where it was, and `prune` tries again.
 */
export async function finish(
  record: PlaceRecord,
  ending: Ending,
  rules: WorkPlaceRules,
): Promise<WorkResult> {
  const { worktree, directory } = record;
  const what = `What attempt ${record.attemptId} did in ${directory} could not be saved and is left there`;
  return explained(what, () =>
    worktree === null
      ? finishFolder(record, rules)
      : finishWorktree({ ...record, worktree }, ending, rules),
  );
}

async function finishFolder(record: PlaceRecord, rules: WorkPlaceRules): Promise<WorkResult> {
  const { directory } = record;
  const names = (await isRealFolder(directory)) ? await readdir(directory) : [];
  return names.length === 0
    ? remove(record, rules)
    : keep(record, rules, { ...untouched, ...boundedNames(names) });
}

async function finishWorktree(
  record: PlaceRecord & { worktree: Worktree },
  ending: Ending,
  rules: WorkPlaceRules,
): Promise<WorkResult> {
  const { worktree } = record;
  const { repository, branch, base, administration } = worktree;
  const { head, leftOut } = await saveWork(record, ending);
  const changes =
    head === base ? null : { repository, branch, base, head, ...(await summaryOf(worktree, head)) };
  const result = { changes, keptIn: null, ...boundedNames(leftOut) };
  if (leftOut.length > 0 && administration !== null) {
    await detach(administration, head);
    if (changes === null) await removeUnchangedBranch(worktree);
    return keep(record, rules, result);
  }
  try {
    return { ...(await remove(record, rules)), changes };
  } catch {
    // All is saved; that the folder cannot be removed, or not yet, does not make the attempt fail.
    return keep(record, rules, result);
  }
}

function boundedNames(names: readonly string[]) {
  return { leftOut: names.slice(0, limits.workLeftOutNamesMax), leftOutCount: names.length };
}

async function keep(
  record: PlaceRecord,
  rules: WorkPlaceRules,
  result: WorkResult,
): Promise<WorkResult> {
  await changeRecord(rules, { ...record, endedAt: new Date().toISOString() });
  return { ...result, keptIn: record.directory };
}

/** Takes the place and its record away; the branch, too, when it holds nothing new. */
export async function remove(record: PlaceRecord, rules: WorkPlaceRules): Promise<WorkResult> {
  await removePlace(rules, record);
  if (record.worktree !== null) await removeUnchangedBranch(record.worktree);
  await removeRecord(rules, record);
  return untouched;
}

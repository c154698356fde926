import { rm } from 'node:fs/promises';
import { limits } from '#kernel/limits.js';
import { git, gitLine, tryGit } from './git.js';
import type { PlaceRecord, Worktree } from './records.js';
import { oneAtATime } from './repository-lock.js';
import type { WorkPlaceRules } from './rules.js';

/** @throws {GitFailure} also when the branch exists: whose it is, is not known. */
export async function addBranch({ repository, branch, base }: Worktree): Promise<void> {
  const mustNotExist = '0'.repeat(base.length);
  await git(['update-ref', `refs/heads/${branch}`, base, mustNotExist], inRepository(repository));
}

/**
 * Adds a worktree on its branch and checks it out.
 *
 * @returns where the repository administers it
 * @throws {GitFailure} when git refuses.
 */
export async function addWorktree(
  rules: WorkPlaceRules,
  directory: string,
  { repository, branch }: Worktree,
): Promise<string> {
  // Without the checkout it takes a moment only; checking out can then go on beside other attempts.
  await oneAtATime(rules, repository, () =>
    git(['worktree', 'add', '--no-checkout', '--', directory, branch], inRepository(repository)),
  );
  const administration = await gitLine(['rev-parse', '--absolute-git-dir'], { cwd: directory });
  await git(['reset', '--hard', '--quiet'], {
    ...inWorktree(directory, administration),
    ms: limits.gitCheckoutMs,
  });
  return administration;
}

/** Takes the folder away and, of a worktree, what the repository knows of it. The branch stays. */
export async function removePlace(
  rules: WorkPlaceRules,
  { directory, worktree }: PlaceRecord,
): Promise<void> {
  // Not left to git, which looks into the folder first: an agent may have changed what it finds there.
  await rm(directory, { recursive: true, force: true, maxRetries: 2 });
  if (worktree === null) return;
  const { repository } = worktree;
  await oneAtATime(rules, repository, () =>
    tryGit(['worktree', 'remove', '--force', '--force', '--', directory], inRepository(repository)),
  );
}

/** Does nothing when the branch holds more than it began with. */
export async function removeUnchangedBranch({ repository, branch, base }: Worktree): Promise<void> {
  await tryGit(['update-ref', '-d', `refs/heads/${branch}`, base], inRepository(repository));
}

export function inRepository(repository: string) {
  // The folder may be gone, and git is to say so.
  return { gitDir: repository, cwd: '/' };
}

/** Says outright where the repository is: the `.git` of the folder is the agent's to change. */
export function inWorktree(directory: string, administration: string) {
  return { gitDir: administration, workTree: directory, cwd: directory };
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '#kernel/limits.js';
import { isRealFolder, isThere } from './folders.js';
import { git, GitFailure, gitLine, tryGit, type GitCall } from './git.js';
import { nameOf } from '#platform/work-names.js';
import type { PlaceRecord, Worktree } from './records.js';
import { stageAll } from './stage.js';
import { inRepository, inWorktree } from './worktree.js';

export type Ending = 'completed' | 'failed' | 'given-back';

export interface Saved {
  /** The commit at which the branch now is. */
  readonly head: string;
  /** What is in the folder and in no commit. */
  readonly leftOut: readonly string[];
}

/**
 * Commits what lies in the worktree to the branch of the attempt, wherever the agent has left HEAD: on
 * another branch, on none, in the middle of a rebase. Nothing that was committed gets lost by it.
 *
 * @throws {GitFailure} when git refuses; the folder is as it was.
 */
export async function saveWork(
  { taskId, attemptId, directory, worktree }: PlaceRecord & { worktree: Worktree },
  ending: Ending,
): Promise<Saved> {
  const { repository, branch, base, administration } = worktree;
  const ref = `refs/heads/${branch}`;
  const shared = inRepository(repository);
  const tip = await commitAt(ref, shared);
  if (administration === null || !(await isRealFolder(administration))) {
    return { head: tip ?? base, leftOut: (await isThere(directory)) ? ['./'] : [] };
  }
  // Whoever held these was the agent's, and is gone.
  const locks = [join(administration, 'index.lock'), join(administration, 'HEAD.lock')];
  for (const lock of [...locks, join(repository, `${ref}.lock`)]) await rm(lock, { force: true });
  const head = (await commitAt('HEAD', inRepository(administration))) ?? tip ?? base;
  const isHere = await isRealFolder(directory);
  const call = inWorktree(directory, administration);
  const leftOut = isHere ? await stageAll(directory, call) : [];
  const tree = isHere ? await gitLine(['write-tree'], call) : await treeOf(head, shared);
  const message = `tri-agent: task ${nameOf(taskId)}\n\nAttempt ${nameOf(attemptId)}, ${ending}.`;
  const next = await commitFor(shared, { tree, head, tip: tip ?? base, message });
  if (next !== tip) {
    const reason = `tri-agent: attempt ${ending}`;
    await git(['update-ref', '-m', reason, ref, next], shared);
  }
  return { head: next, leftOut };
}

/** Lets go of the branch, so that it can be checked out elsewhere while the folder is kept. */
export async function detach(administration: string, head: string): Promise<void> {
  await tryGit(['update-ref', '--no-deref', 'HEAD', head], inRepository(administration));
}

interface Left {
  /** Of what lies in the folder. */
  readonly tree: string;
  /** Where the agent left HEAD. */
  readonly head: string;
  /** Where it left the branch of the attempt. */
  readonly tip: string;
  readonly message: string;
}

/** The commit at which the branch should be: one that is there already, where it says all. */
async function commitFor(call: GitCall, { tree, head, tip, message }: Left): Promise<string> {
  const isClean = tree === (await treeOf(head, call));
  const isBehind = head !== tip && (await isAncestor(head, tip, call));
  if (isClean && isBehind) return tip;
  const isAhead = head === tip || (await isAncestor(tip, head, call));
  if (isClean && isAhead) return head;
  const parents = (isAhead ? [head] : [head, tip]).flatMap((parent) => ['-p', parent]);
  const wanted = ['commit-tree', tree, ...parents, '-m', message];
  return gitLine(wanted, call);
}

async function isAncestor(commit: string, of: string, call: GitCall): Promise<boolean> {
  const { exitCode } = await tryGit(['merge-base', '--is-ancestor', commit, of], call);
  return exitCode === 0;
}

async function treeOf(commit: string, call: GitCall): Promise<string> {
  return gitLine(['rev-parse', '--verify', `${commit}^{tree}`], call);
}

async function commitAt(ref: string, call: GitCall): Promise<string | undefined> {
  const wanted = ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`];
  const outcome = await tryGit(wanted, call);
  if (outcome.exitCode === 0) return outcome.stdout.toString().trim();
  // That there is none is one thing; that git could not look is another.
  if (outcome.exitCode === 1) return undefined;
  throw new GitFailure(outcome);
}

export interface Summary {
  readonly filesChanged: number;
  readonly insertions: number;
  readonly deletions: number;
  /** Of the first `limits.workDiffBytesMax` bytes, whole lines. */
  readonly diff: string;
  readonly isDiffCut: boolean;
}

export async function summaryOf({ repository, base }: Worktree, head: string): Promise<Summary> {
  const call = inRepository(repository);
  const compared = ['--no-ext-diff', '--no-textconv', '--no-color', '-r', base, head];
  const figures = (await git(['diff-tree', '--shortstat', ...compared], call)).toString();
  const figure = (word: RegExp) => Number(word.exec(figures)?.[1] ?? 0);
  const outputBytesMax = limits.workDiffBytesMax;
  const { stdout, exitCode } = await tryGit(['diff-tree', '-p', ...compared], {
    ...call,
    outputBytesMax,
  });
  const isDiffCut = exitCode !== 0;
  const diff = isDiffCut ? stdout.subarray(0, stdout.lastIndexOf('\n') + 1) : stdout;
  return {
    filesChanged: figure(/(\d+) files? changed/),
    insertions: figure(/(\d+) insertions?\(/),
    deletions: figure(/(\d+) deletions?\(/),
    diff: diff.toString(),
    isDiffCut,
  };
}

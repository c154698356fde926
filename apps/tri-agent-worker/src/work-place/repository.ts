import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { limits } from '#kernel/limits.js';
import { allowedFolder, isAllowed } from './allowed-roots.js';
import { gitLine, tryGit, type GitCall } from './git.js';
import { explained, withoutPassword } from './git-faults.js';
import { openMirror, remoteBranches, remoteHead } from './mirror.js';
import type { WorkPlaceRules } from './rules.js';
import { WorkPlaceError } from './work-place-error.js';

/** A repository that is open, and the commit from which an attempt begins. */
export interface Opened {
  /** Where its objects and branches lie, shared by all its worktrees. */
  readonly gitDir: string;
  readonly base: string;
}

/** @throws {WorkPlaceError} when it may not be used, cannot be, or has no such ref. */
export async function openRepository(
  repository: string,
  ref: string | null,
  rules: WorkPlaceRules,
): Promise<Opened> {
  if (ref !== null) refuseOddRef(ref);
  if (repository.startsWith('/')) return openLocal(repository, ref, rules);
  refuseOddUrl(repository);
  const gitDir = await openMirror(repository, rules);
  const names =
    ref === null || ref === 'HEAD'
      ? [remoteHead]
      : [`${remoteBranches}${ref}`, `refs/tags/${ref}`, ref];
  const base = await commitOf(names, { gitDir, cwd: gitDir });
  if (base === undefined) throw unknownRef(withoutPassword(repository), ref);
  return { gitDir, base };
}

async function openLocal(
  repository: string,
  ref: string | null,
  rules: WorkPlaceRules,
): Promise<Opened> {
  const cwd = await allowedFolder(repository, rules);
  const what = `The repository ${repository} cannot be used`;
  const own = await explained(what, () => gitLine(['rev-parse', '--absolute-git-dir'], { cwd }));
  const shared = await explained(what, () => gitLine(['rev-parse', '--git-common-dir'], { cwd }));
  const gitDir = await realpath(resolve(cwd, shared));
  if (!(await isAllowed(gitDir, rules))) {
    const reason = 'is not in a folder in which agents of this worker may work';
    throw new WorkPlaceError(
      `${what}, because ${gitDir}, where it keeps its branches, ${reason}.`,
      false,
    );
  }
  if (ref === null) refuseHalfDone(repository, own);
  const base = await commitOf([ref ?? 'HEAD'], { cwd });
  if (base !== undefined) return { gitDir, base };
  if (ref !== null) throw unknownRef(repository, ref);
  throw new WorkPlaceError(`${what}, because HEAD has no commit: make one, or name a ref.`, false);
}

async function commitOf(names: readonly string[], call: GitCall): Promise<string | undefined> {
  for (const name of names) {
    const wanted = ['--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    const { exitCode, stdout } = await tryGit(['rev-parse', ...wanted], call);
    const commit = stdout.toString().trim();
    if (exitCode === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  }
  return undefined;
}

/** While these are under way HEAD is a commit in between, which nobody meant. */
const halfDone = [
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['BISECT_LOG', 'bisect'],
] as const;

function refuseHalfDone(repository: string, gitDir: string): void {
  const found = halfDone.find(([file]) => existsSync(join(gitDir, file)));
  if (found === undefined) return;
  const then = 'finish it or end it, or name a ref to begin from';
  throw new WorkPlaceError(
    `The repository ${repository} is in the middle of a ${found[1]}: ${then}.`,
    true,
  );
}

function refuseOddRef(ref: string): void {
  if (/^[^-\s\p{Cc}][^\s\p{Cc}]*$/u.test(ref) && ref.length <= limits.identifierCharactersMax)
    return;
  throw new WorkPlaceError(
    `The ref ${JSON.stringify(ref)} is none: name a branch, tag or commit.`,
    false,
  );
}

/** What git takes for a URL may also be an option, a program to run or a file of this host. */
function refuseOddUrl(url: string): void {
  const isUrl = /^(https|ssh|git):\/\/[^-\s\p{Cc}/]/u.test(url) && hostOf(url) !== undefined;
  const isShortForm = /^[\w.][\w.-]*@[\w.][\w.-]*:[^:\s\p{Cc}-][^\s\p{Cc}]*$/u.test(url);
  if ((isUrl || isShortForm) && !/[\s\p{Cc}]/u.test(url)) return;
  const allowed = 'the full path of a folder, or a URL with https, ssh or git, or user@host:path';
  throw new WorkPlaceError(
    `${JSON.stringify(withoutPassword(url))} is no repository: name ${allowed}.`,
    false,
  );
}

function hostOf(url: string): string | undefined {
  const { hostname } = URL.parse(url) ?? {};
  return hostname === undefined || /^(-|$)/.test(hostname) ? undefined : hostname;
}

function unknownRef(repository: string, ref: string | null): WorkPlaceError {
  const name = ref ?? 'HEAD';
  return new WorkPlaceError(
    `The repository ${repository} has no branch, tag or commit ${name}.`,
    false,
  );
}

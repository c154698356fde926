import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '#kernel/limits.js';
import { isThere } from './folders.js';
import { git, tryGit, type GitCall } from './git.js';

/** Names are bytes, and need not be UTF-8. Each byte is one character here, so that none is lost. */
type Bytes = string & { readonly bytes?: never };

interface Entry {
  readonly path: Bytes;
  readonly isGone: boolean;
}

/**
 * Brings everything that differs in the folder into its index, but for what is ignored. Left out are
 * nested repositories (git would keep the name of a commit that nobody else has), files beyond the
 * limits, and what git or the system does not let in.
 *
 * @returns the names of what was left out
 */
export async function stageAll(folder: string, call: GitCall): Promise<string[]> {
  const entries = await differences(call);
  const excluded = [
    ...(await initialisedSubmodules(folder, call)),
    ...(await unfit(folder, entries)),
  ];
  if (entries.length > 0) await add(excluded, call);
  const left = (await differences(call)).map(({ path }) => path);
  const own = await ownRepository(folder);
  return [...new Set([...own, ...left, ...excluded])].map((path) => bytesOf(path).toString());
}

function bytesOf(path: Bytes): Buffer {
  return Buffer.from(path, 'latin1');
}

function partsOf(output: Buffer): Bytes[] {
  return output.toString('latin1').split('\0').slice(0, -1);
}

function pathIn(folder: string, path: Bytes): Buffer {
  return Buffer.concat([Buffer.from(join(folder, '/')), bytesOf(path)]);
}

/** What the folder holds otherwise than the index. Submodules are not entered: their settings are not ours to run. */
async function differences(call: GitCall): Promise<Entry[]> {
  const options = ['-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=dirty'];
  const lines = partsOf(await git(['status', '--porcelain=v1', ...options], call));
  return lines
    .filter((line) => line[1] !== ' ')
    .map((line) => ({ path: line.slice(3), isGone: line[1] === 'D' }));
}

async function add(excluded: readonly Bytes[], call: GitCall): Promise<void> {
  const pathspecs = [
    '.',
    ...excluded.map((path) => `:(exclude,top,literal)${path.replace(/\/$/, '')}`),
  ];
  const input = Buffer.from(pathspecs.join('\0'), 'latin1');
  const options = ['--all', '--ignore-errors', '--pathspec-from-file=-', '--pathspec-file-nul'];
  // What it could not add shows as a difference afterwards.
  await tryGit(['add', ...options], { ...call, input, ms: limits.gitCheckoutMs });
}

/** Submodules that the agent has fetched: their commits are in the worktree's own administration. */
async function initialisedSubmodules(folder: string, call: GitCall): Promise<Bytes[]> {
  const gitlinks = partsOf(await git(['ls-files', '--stage', '-z'], call))
    .filter((line) => line.startsWith('160000 '))
    .map((line) => line.slice(line.indexOf('\t') + 1));
  const found = await Promise.all(
    gitlinks.map(async (path) => ((await isThere(pathIn(folder, `${path}/.git`))) ? [path] : [])),
  );
  return found.flat();
}

async function unfit(folder: string, entries: readonly Entry[]): Promise<Bytes[]> {
  let roomBytes: number = limits.workBytesMax;
  const found: Bytes[] = [];
  for (const { path, isGone } of entries) {
    if (isGone) continue;
    const bytes = path.endsWith('/') ? undefined : await sizeOf(pathIn(folder, path));
    if (bytes === undefined || bytes > Math.min(limits.workFileBytesMax, roomBytes))
      found.push(path);
    else roomBytes -= bytes;
  }
  return found;
}

/** Undefined of what git cannot keep: no file and no link, or one that must not be read. */
async function sizeOf(path: Buffer): Promise<number | undefined> {
  const entry = await lstat(path).catch(() => undefined);
  if (entry?.isSymbolicLink() === true) return 0;
  if (entry?.isFile() !== true) return undefined;
  return access(path, constants.R_OK).then(
    () => entry.size,
    () => undefined,
  );
}

/** The agent may have begun a repository of its own in place of the worktree. */
async function ownRepository(folder: string): Promise<Bytes[]> {
  const entry = await lstat(join(folder, '.git')).catch(() => undefined);
  return entry?.isDirectory() === true ? ['.git/'] : [];
}

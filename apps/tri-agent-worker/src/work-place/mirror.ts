import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '#kernel/limits.js';
import { git, tryGit } from './git.js';
import { explained, withoutPassword } from './git-faults.js';
import { digestOf } from '#platform/work-names.js';
import { oneAtATime } from './repository-lock.js';
import { partsOf, type WorkPlaceRules } from './rules.js';
import { WorkPlaceError } from './work-place-error.js';

/** What HEAD of the other side is, and where its branches lie: apart from those that attempts make. */
export const remoteHead = 'refs/tri-agent/remote-head';
export const remoteBranches = 'refs/remotes/origin/';

/**
 * A bare repository of our own that holds what the URL holds now. The branches of attempts lie in it,
 * too, so that fetching keeps to other names and nothing is ever deleted but what the other side deleted.
 *
 * @returns its folder
 * @throws {WorkPlaceError} when the other side cannot be reached, or refuses.
 */
export async function openMirror(url: string, rules: WorkPlaceRules): Promise<string> {
  const { mirrors } = partsOf(rules);
  await mkdir(mirrors, { recursive: true, mode: 0o700 });
  const mirror = join(mirrors, digestOf(url));
  const wantedAtMs = Date.now();
  const what = `The repository ${withoutPassword(url)} cannot be fetched`;
  await oneAtATime(rules, mirror, () =>
    explained(what, async () => {
      if (existsSync(mirror)) await refresh(mirror, url, wantedAtMs);
      else await make(mirror, url);
    }),
  );
  return mirror;
}

/** Under another name until it is whole: a crash leaves no half of a mirror. */
async function make(mirror: string, url: string): Promise<void> {
  const half = `${mirror}.new`;
  await rm(half, { recursive: true, force: true });
  await git(['init', '--quiet', '--bare', '--template=', '--', half], { cwd: '/' });
  try {
    await fetchInto(half, url);
    await rename(half, mirror);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    throw error;
  }
}

async function refresh(mirror: string, url: string, wantedAtMs: number): Promise<void> {
  // Whoever held the lock before may have asked the other side while this one waited.
  if (startOfLastFetchMs(mirror) >= wantedAtMs) return;
  try {
    await fetchInto(mirror, url);
  } catch (error) {
    if (await isSound(mirror)) throw error;
    await setAside(mirror);
    await make(mirror, url);
  }
}

const fetchMark = 'tri-agent-fetch';

function startOfLastFetchMs(mirror: string): number {
  return statSync(join(mirror, fetchMark), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function fetchInto(mirror: string, url: string): Promise<void> {
  const half = join(mirror, `${fetchMark}.new`);
  await writeFile(half, '');
  const options = ['--quiet', '--prune', '--no-tags', '--no-write-fetch-head'];
  const wanted = [
    `+HEAD:${remoteHead}`,
    `+refs/heads/*:${remoteBranches}*`,
    '+refs/tags/*:refs/tags/*',
  ];
  await git(['fetch', ...options, '--no-recurse-submodules', '--', url, ...wanted], {
    ...{ gitDir: mirror, cwd: mirror, ms: limits.gitFetchMs },
  });
  await rename(half, join(mirror, fetchMark));
}

/** Whether it opens and every ref leads to an object that is there. */
async function isSound(mirror: string): Promise<boolean> {
  const call = { gitDir: mirror, cwd: mirror };
  const { exitCode, stderr } = await tryGit(['for-each-ref', '--format=%(objecttype)'], call);
  return exitCode === 0 && stderr === '';
}

/** What can be fetched again is, but a damaged mirror may still hold branches of attempts: it is kept. */
async function setAside(mirror: string): Promise<void> {
  const inUse = await readdir(join(mirror, 'worktrees')).catch(() => []);
  if (inUse.length > 0) {
    const then = 'it is made anew once no attempt uses it; or move it away';
    throw new WorkPlaceError(`The mirror ${mirror} is damaged: ${then}.`, true);
  }
  await rename(mirror, `${mirror}.damaged-${Date.now()}`);
}

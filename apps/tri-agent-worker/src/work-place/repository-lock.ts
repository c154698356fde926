import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import { SingletonLock } from '#platform/singleton-lock.js';
import { digestOf } from '#platform/work-names.js';
import { partsOf, type WorkPlaceRules } from './rules.js';
import { WorkPlaceError } from './work-place-error.js';

/**
 * Lets one after another do what git does not do side by side: while a worktree is being added, another
 * `git worktree` of the same repository may read its half-written files and fail; and two fetches into
 * one mirror meet at its refs. The system lets go of the lock when its holder dies.
 *
 * @param key the repository's own folder, or the URL of a mirror.
 */
export async function oneAtATime<T>(
  rules: Pick<WorkPlaceRules, 'folder'>,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  const { locks } = partsOf(rules);
  await mkdir(locks, { recursive: true, mode: 0o700 });
  const lock = await acquire(join(locks, digestOf(key)));
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function acquire(file: string): Promise<SingletonLock> {
  const tries = limits.repositoryLockWaitMs / limits.repositoryLockPollMs;
  for (let tried = 0; tried < tries; tried += 1) {
    const lock = SingletonLock.acquire(file);
    if (lock !== undefined) return lock;
    await wait(limits.repositoryLockPollMs);
  }
  throw new WorkPlaceError('Other attempts have kept the repository busy for too long.', true);
}

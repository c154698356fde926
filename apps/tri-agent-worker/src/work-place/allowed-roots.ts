import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, sep } from 'node:path';
import { WorkPlaceError } from './work-place-error.js';
import type { WorkPlaceRules } from './rules.js';

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

async function realPathOf(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}

/** Whether a path, all links already followed, is in one of the roots. */
export async function isAllowed(realPath: string, rules: WorkPlaceRules): Promise<boolean> {
  const roots = await Promise.all(rules.roots.map(realPathOf));
  return roots.some((root) => root !== undefined && isInside(realPath, root));
}

/**
 * The real path of a folder that a task names. Nothing is made, and where a link leads is what counts.
 *
 * @throws {WorkPlaceError} when it is no folder of this host, or not one in which agents may work.
 */
export async function allowedFolder(path: string, rules: WorkPlaceRules): Promise<string> {
  const refuse = (reason: string) => new WorkPlaceError(`The folder ${path} ${reason}`, false);
  if (!isAbsolute(path)) throw refuse('is not an absolute path: tasks name folders in full.');
  const real = await realPathOf(path);
  if (real === undefined) throw refuse('is not there on the host of this worker.');
  if (!(await isAllowed(real, rules))) throw refuse(outside(rules));
  if (!(await stat(real)).isDirectory()) throw refuse('is no folder.');
  const own = await realPathOf(rules.folder);
  if (own !== undefined && isInside(real, own)) {
    throw refuse("holds the worker's own work places: name another one.");
  }
  return real;
}

function outside({ roots }: WorkPlaceRules): string {
  if (roots.length === 0)
    return 'is not allowed: this worker has no folders in which agents may work.';
  return `is not in a folder in which agents of this worker may work (${roots.join(', ')}), once links are followed.`;
}

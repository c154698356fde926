import { mkdir, realpath, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import type { Claimed } from './claimed.js';

/** Where an agent is started, or why it cannot be. */
export type WorkPlace =
  { readonly directory: string } | { readonly error: string; readonly retryable: boolean };

/** Where agents may work on this host. */
export class WorkPlaces {
  /**
   * @param roots folders in which, or below which, tasks may name a directory
   * @param own where a task that names none gets a folder to itself
   */
  constructor(
    private readonly roots: readonly string[],
    private readonly own: string,
  ) {}

  async prepare({ attemptId, task }: Claimed): Promise<WorkPlace> {
    if (task.directory === null) {
      // An id may be anything: it names no folder.
      const name = createHash('sha256').update(attemptId).digest('hex').slice(0, 16);
      const directory = join(this.own, name);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return { directory };
    }
    return this.allowed(task.directory);
  }

  private async allowed(wanted: string): Promise<WorkPlace> {
    const no = (error: string): WorkPlace => ({ error, retryable: false });
    let directory: string;
    try {
      directory = await realpath(wanted);
      if (!(await stat(directory)).isDirectory()) return no(`${wanted} is no directory.`);
    } catch {
      return no(`The directory ${wanted} does not exist on this host, or may not be read.`);
    }
    for (const root of this.roots) {
      const path = relative(await realpath(root).catch(() => root), directory);
      if (path === '' || (!path.startsWith('..') && !path.startsWith('/'))) return { directory };
    }
    const allowed = this.roots.join(', ');
    return no(
      `Agents of this worker may not work in ${wanted}: only below ${allowed}. Start the worker with --root to allow it.`,
    );
  }
}

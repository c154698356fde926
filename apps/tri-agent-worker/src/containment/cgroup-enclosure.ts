import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import { decodePids, isPopulated, ownCgroupFolder } from './containment.decode.js';
import { shortHash, type AgentEnclosure, type Enclosed } from './enclosure.js';
import { launchInCgroup, type Launch } from './launch.translate.js';

/**
 * A control group (version 2) below the worker's own. A child is born into the group of its parent and can hide
 * from it by nothing that agents do; who may write to the groups around could move out of it.
 */
export class CgroupEnclosure implements AgentEnclosure {
  /** @throws {Error} where this process may not make groups. */
  static make({ attemptId }: Enclosed): CgroupEnclosure {
    const [cgroup, mountinfo] = ['cgroup', 'mountinfo'].map((name) =>
      readFileSync(join('/proc/self', name), 'utf8'),
    );
    const own = ownCgroupFolder(cgroup ?? '', mountinfo ?? '');
    if (own === undefined) throw new Error('Control groups of version 2 are not in sight.');
    const folder = join(own, `tri-agent-${shortHash(attemptId)}`);
    mkdirSync(folder, { recursive: true });
    const enclosure = new CgroupEnclosure(folder);
    if (readdirSync(folder).includes('cgroup.kill')) return enclosure;
    rmdirSync(folder);
    throw new Error('The kernel cannot kill a control group: Linux 5.14 or newer can.');
  }

  constructor(private readonly folder: string) {}

  get record() {
    return { is: 'cgroup', folder: this.folder } as const;
  }

  launch(program: Launch): Launch {
    return launchInCgroup(this.folder, program);
  }

  launched(): void {
    // The process that is started becomes the agent.
  }

  pids(): number[] {
    return this.folders().flatMap((it) => decodePids(readIn(it, 'cgroup.procs') ?? ''));
  }

  isKeeper(): boolean {
    return false;
  }

  kill(): void {
    try {
      writeFileSync(join(this.folder, 'cgroup.kill'), '1');
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  isEmpty(): boolean {
    const events = readIn(this.folder, 'cgroup.events');
    return events === undefined || !isPopulated(events);
  }

  async remove(): Promise<void> {
    const lastMs = performance.now() + limits.processKillMs;
    // What has been killed may still be on its way out.
    while (!this.isRemoved() && performance.now() < lastMs) await wait(limits.cgroupRemovePollMs);
  }

  private isRemoved(): boolean {
    try {
      // Those below come after it.
      for (const folder of this.folders().reverse()) rmdirSync(folder);
      return true;
    } catch (error) {
      return isGone(error);
    }
  }

  /** Its own, and those that an agent has made in it. */
  private folders(): string[] {
    const found = [this.folder];
    for (const folder of found) {
      if (found.length >= limits.cgroupFoldersMax) break;
      found.push(...foldersIn(folder));
    }
    return found;
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((it) => it.isDirectory())
      .map(({ name }) => join(folder, name));
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Undefined when the group is gone. */
function readIn(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** A group that is removed while its file is open has no device any more. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENODEV'].includes(String((error as NodeJS.ErrnoException).code));
}

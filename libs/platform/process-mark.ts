import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { decodeRealTimeLimit } from './processes.decode.js';
import type { Enclosure } from './process-trees.js';
import { sameProcess, type ProcessIdentity } from './processes.js';

/**
 * A mark that every child of a process inherits, also one that drops its parent, session and environment: the
 * soft limit of real time (`RLIMIT_RTTIME`), which programs like agents have no use for. Linux only.
 */

/** For whoever is known by this text: a number of its own between 2^52 and 2^53 microseconds, over a century. */
export function markFor(text: string): string {
  const own = createHash('sha256').update(text).digest('hex').slice(0, 13);
  return String(2 ** 52 + Number.parseInt(own, 16));
}

export function markOfProcess({ pid, startMark }: ProcessIdentity): string {
  return markFor(`process ${pid} ${startMark}`);
}

/**
 * Marks a process that runs: what it starts from now on bears the mark.
 * @returns whether it does; false where there is no `prlimit`, the process is not one's own, or bears a mark
 * already: a worker's, by which that worker finds what its agent has started.
 */
export async function markProcess(identity: ProcessIdentity): Promise<boolean> {
  if (process.platform !== 'linux' || !sameProcess(identity)) return false;
  if (markIn(String(identity.pid)) !== undefined) return false;
  const argv = ['--pid', String(identity.pid), `--rttime=${markOfProcess(identity)}:`];
  const child = spawn('prlimit', argv, { stdio: 'ignore' });
  try {
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    return exitCode === 0;
  } catch {
    return false;
  }
}

/** The processes that bear a mark now. */
export function pidsMarked(mark: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && markIn(name) === mark)
    .map(Number);
}

/** What bears a mark, as something that ends as a whole. */
export class MarkedProcesses implements Enclosure {
  constructor(private readonly mark: string) {}

  pids(): number[] {
    return pidsMarked(this.mark);
  }

  isKeeper(): boolean {
    return false;
  }

  kill(): void {
    // Nothing but its processes, one by one.
  }

  isEmpty(): boolean {
    return true;
  }
}

function markIn(pid: string): string | undefined {
  try {
    return decodeRealTimeLimit(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    // It has ended, or is another user's.
    return undefined;
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  attemptVariables,
  identityOf,
  sameProcess,
  signalIfSame,
  type HostProcess,
  type ProcessIdentity,
} from '#platform/processes.js';
import type { AgentEnclosure, Enclosed } from './enclosure.js';
import { launchInNamespace, launchOfKeeper, type Launch } from './launch.translate.js';

const isRoot = process.getuid?.() === 0;

/**
 * A namespace of processes: nothing that is born in it gets out, and nothing of it outlives its first process. The
 * keeper outside is the parent of that one.
 */
export class NamespaceEnclosure implements AgentEnclosure {
  /** @throws {Error} where the host does not allow it. */
  static async make({ attemptId, taskId, directory }: Enclosed): Promise<NamespaceEnclosure> {
    const { program, args } = launchOfKeeper(isRoot);
    const keeper = spawn(program, [...args], {
      cwd: directory,
      // So that `reap` knows whose it is.
      env: {
        PATH: process.env['PATH'],
        [attemptVariables.attemptId]: attemptId,
        [attemptVariables.taskId]: taskId,
      },
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    await once(keeper, 'spawn');
    keeper.unref();
    const [, , complaints, told] = keeper.stdio as unknown as readonly Readable[];
    if (await isUp(told)) {
      complaints?.destroy();
      const identity = identityOf(keeper.pid ?? -1);
      if (identity !== undefined) return new NamespaceEnclosure(identity);
    }
    const why = complaints === undefined ? '' : await text(complaints);
    throw new Error(`No namespace was made. ${why.trim()}`);
  }

  private launcherPid: number | undefined;

  constructor(private readonly keeper: ProcessIdentity) {}

  get record() {
    return { is: 'pid-namespace', keeper: this.keeper } as const;
  }

  launch(program: Launch): Launch {
    return launchInNamespace(this.keeper.pid, isRoot, program);
  }

  launched(pid: number): void {
    this.launcherPid = pid;
  }

  /** All are below the keeper, or below what launched the agent. */
  pids(): number[] {
    return sameProcess(this.keeper) ? [this.keeper.pid] : [];
  }

  /** A session cannot be joined: nothing that an agent starts is in one of these. */
  isKeeper({ sessionId }: HostProcess): boolean {
    return sessionId === this.keeper.pid || sessionId === this.launcherPid;
  }

  /**
   * With the keeper the kernel kills the first process, and so all. What launched the agent stays until it has waited for
   * it: a namespace is gone only when nothing of it waits to be waited for.
   */
  kill(): void {
    signalIfSame(this.keeper, 'SIGKILL');
  }

  isEmpty(): boolean {
    return !sameProcess(this.keeper);
  }

  remove(): Promise<void> {
    // The kernel has, with its last process.
    return Promise.resolve();
  }
}

/** It tells that it is up, or ends. */
async function isUp(told: Readable | undefined): Promise<boolean> {
  for await (const _ of told ?? []) return true;
  return false;
}

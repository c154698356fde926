import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { listProcesses, sameProcess, signalIfSame, type HostProcess } from './processes.js';

/** Real processes that a test starts, and that are gone when it is over. */
export class StartedProcesses {
  readonly #all: HostProcess[] = [];

  /**
   * Runs a script of Node until it has told `pids(...)`: its own and those it started.
   * @returns these processes, its own first.
   */
  async start(
    script: string,
    env: Readonly<Record<string, string>> = {},
    { detached = false, argv }: { detached?: boolean; argv?: readonly string[] } = {},
  ): Promise<HostProcess[]> {
    const child = spawn(process.execPath, argv ?? ['-e', prelude + script], {
      detached,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const told = createInterface(child.stdout);
    for await (const line of told) {
      const pids = JSON.parse(line) as number[];
      told.close();
      const list = await listProcesses();
      const started = pids.flatMap((pid) => list.filter((it) => it.pid === pid));
      this.#all.push(...started);
      return started;
    }
    throw new Error('It ended before it told of itself.');
  }

  /** What a `reap` of a test may see of a host that others use, too. */
  async mine(): Promise<HostProcess[]> {
    const own = new Set(this.#all.map(({ pid, startMark }) => `${pid} ${startMark}`));
    return (await listProcesses()).filter((it) => own.has(`${it.pid} ${it.startMark}`));
  }

  end(): void {
    for (const one of this.#all.splice(0)) signalIfSame(one, 'SIGKILL');
  }
}

/** Waits until that is so, for what the operating system does in its own time. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

export const runs = (process: HostProcess): boolean => sameProcess(process);

/** What every script begins with. None outlives a test run that was itself ended. */
const prelude = `
  const { spawn } = require('node:child_process');
  setTimeout(() => process.exit(), 300_000);
  const pids = (...others) => console.log(JSON.stringify([process.pid, ...others]));
  const begin = (script, options = {}) =>
    spawn(process.execPath, ['-e', 'setTimeout(() => process.exit(), 300_000);' + script], {
      stdio: ['ignore', 'pipe', 'ignore'], ...options,
    });
  const told = (child) => new Promise((resolve) => child.stdout.once('data', resolve));
`;

/** Runs until it is asked to end. */
export const polite = 'pids();';
/** Runs until it is killed. */
export const stubborn = "process.on('SIGTERM', () => undefined); pids();";

import type { Io } from '../src/io.js';
import { runCli } from '../src/program.js';

const now = new Date('2026-11-20T12:00:00.000Z');

/** What a run printed so far; `until` waits for a condition on it. */
export class Terminal {
  out = '';
  err = '';
  readonly #watchers = new Set<() => void>();

  io(env: Readonly<Record<string, string>>, more: Partial<Io> = {}): Io {
    const keep = (name: 'out' | 'err') => ({
      write: (text: string): void => {
        this[name] += text;
        for (const check of this.#watchers) check();
      },
    });
    return {
      stdout: keep('out'),
      stderr: keep('err'),
      env,
      isTTY: false,
      now: () => now,
      timeZone: 'UTC',
      ...more,
    };
  }

  async until(holds: (terminal: Terminal) => boolean): Promise<void> {
    if (holds(this)) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!holds(this)) return;
        this.#watchers.delete(check);
        resolve();
      };
      this.#watchers.add(check);
    });
  }
}

export interface Outcome {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line to its end, in process. */
export async function run(
  env: Readonly<Record<string, string>>,
  argv: readonly string[],
  more: Partial<Io> = {},
): Promise<Outcome> {
  const terminal = new Terminal();
  const exit = await runCli(argv, terminal.io(env, more));
  return { exit, out: terminal.out, err: terminal.err };
}

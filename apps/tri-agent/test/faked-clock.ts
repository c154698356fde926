import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How long libfaketime may go by the offset of before. */
export const takesEffectWithinMs = 1_000;

/** A clock on the wall for a process under libfaketime, which can be moved while the process runs. */
export class FakedClock {
  /** What the wall clock of the process is ahead by; the one before may be in force for a moment. */
  offsetsMs: readonly [before: number, now: number] = [0, 0];
  private readonly file: string;

  /** @throws {Error} when libfaketime is not installed */
  constructor(folder: string) {
    this.file = join(folder, 'wall-clock');
    this.moveTo(0);
  }

  /** For the process. Its monotonic clock stays true, as it does where somebody sets the clock. */
  get environment(): Record<string, string> {
    return {
      LD_PRELOAD: libfaketime(),
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_CACHE_DURATION: String(takesEffectWithinMs / 1_000),
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  moveTo(offsetMs: number): void {
    this.offsetsMs = [this.offsetsMs[1], offsetMs];
    const seconds = Math.round(offsetMs / 1_000);
    // Renamed into its place, so that nobody reads half of it.
    writeFileSync(`${this.file}.new`, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
    renameSync(`${this.file}.new`, this.file);
  }
}

/** Where Debian and its kin have it: under the name of the machine's kind. */
function libfaketime(): string {
  const found = readdirSync('/usr/lib')
    .map((kind) => join('/usr/lib', kind, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error('libfaketime is not installed. On Debian: apt-get install -y libfaketime');
}

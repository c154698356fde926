import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where in the log a start has to begin to read: the decimal position, one line. It may be deleted. */
export class PositionFile {
  private readonly file: string;

  constructor(home: string) {
    this.file = join(home, 'watch-position');
  }

  /** Undefined where there is none that can be believed. */
  async read(): Promise<bigint | undefined> {
    try {
      const text = (await readFile(this.file, 'utf8')).trim();
      return /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async write(position: bigint): Promise<void> {
    const part = `${this.file}.${process.pid}.part`;
    await writeFile(part, `${position}\n`, { mode: 0o600 });
    await rename(part, this.file);
  }
}

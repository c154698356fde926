import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Under which id the server knows this worker, so that it stays the same one after it was killed. */
export class WorkerIdentity {
  constructor(private readonly file: string) {}

  read(): string | undefined {
    return existsSync(this.file) ? readFileSync(this.file, 'utf8').trim() || undefined : undefined;
  }

  keep(workerId: string): void {
    writeFileSync(this.file, `${workerId}\n`, { mode: 0o600 });
  }

  forget(): void {
    rmSync(this.file, { force: true });
  }
}

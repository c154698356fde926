import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The secrets of webhooks, each in a file of its own that only its owner may read. They are neither in
 * the log nor in an answer, but for the one that makes a secret known. Any process of the data folder
 * reads them, so that another may write the next.
 */
export class WebhookSecrets {
  /** @param folder made when first needed. */
  constructor(private readonly folder: string) {}

  /** Resolves when it is on disk. */
  async keep(secretId: string, secret: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const file = this.fileOf(secretId);
    const draft = `${file}.draft`;
    const handle = await open(draft, 'w', 0o600);
    try {
      await handle.writeFile(secret);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
    await this.syncFolder();
  }

  /** Undefined when it is not there, as in a data folder that was restored without it. */
  async read(secretId: string): Promise<string | undefined> {
    try {
      return await readFile(this.fileOf(secretId), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Erasing what is not there is no error. */
  async erase(secretIds: readonly string[]): Promise<void> {
    for (const secretId of secretIds) await rm(this.fileOf(secretId), { force: true });
  }

  private async syncFolder(): Promise<void> {
    const handle = await open(this.folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** The log only holds ids that are UUIDs, so that none leads out of the folder. */
  private fileOf(secretId: string): string {
    return join(this.folder, secretId);
  }
}

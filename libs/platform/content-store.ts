import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { limits } from '#kernel/limits.js';

/**
 * Content that events speak of: the prompts of tasks and what came of them; prompts, answers and tool
 * content of sessions where keeping them is switched on. Each text is a file named by the SHA-256 of
 * what is in it: events hold the hash, erasing the file erases the text while the log keeps the fact.
 *
 * Only what a redactor has been over may be brought here, but for the prompts of tasks, which are kept
 * word for word because another prompt would be another task.
 */
export class ContentStore {
  /** Under which a text within the limit will be found. */
  static hashOf(text: string): string {
    return hashOf(Buffer.from(text));
  }

  /** What this process has seen on disk, so that a text that comes again costs nothing. */
  private readonly kept = new Set<string>();

  /** Texts that were kept of late, the oldest first: most are asked for soon after. */
  private readonly recent = new Map<string, string>();
  private recentCharacters = 0;

  /**
   * @param folder made when first needed, readable by its owner only.
   * @param recentCharactersMax how much of what was kept of late stays in memory, too.
   */
  constructor(
    private readonly folder: string,
    private readonly recentCharactersMax = 0,
  ) {}

  /**
   * Resolves with the hash once the text is on disk. A text above `limits.contentBytesMax` bytes is
   * cut, which its end then says; the hash is that of the cut text.
   */
  async keep(redactedText: string): Promise<string> {
    const bytes = Buffer.from(cutToLimit(redactedText));
    const hash = hashOf(bytes);
    const file = this.fileOf(hash);
    // It got its name only after it was on disk.
    if (this.kept.has(hash) && existsSync(file)) return hash;
    const folder = dirname(file);
    const isNewFolder = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
    const temporary = `${file}.${randomUUID()}.tmp`;
    try {
      await writeDurably(temporary, bytes);
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(folder);
    if (isNewFolder) await syncFolder(this.folder);
    if (this.kept.size >= limits.contentRememberedMax) this.kept.clear();
    this.kept.add(hash);
    this.remember(hash, bytes.toString());
    return hash;
  }

  /** Undefined when it was never kept, or has been erased. */
  async read(hash: string): Promise<string | undefined> {
    const file = this.fileOf(hash);
    const recent = this.recent.get(hash);
    // Whoever erased the file, erased the text.
    if (recent !== undefined && existsSync(file)) return recent;
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Erasing what is not there is no error. */
  async erase(hash: string): Promise<void> {
    const file = this.fileOf(hash);
    this.forget(hash);
    try {
      await rm(file);
      await syncFolder(dirname(file));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  private remember(hash: string, text: string): void {
    this.forget(hash);
    this.recent.set(hash, text);
    this.recentCharacters += text.length;
    for (const oldest of this.recent.keys()) {
      if (this.recentCharacters <= this.recentCharactersMax) break;
      this.forget(oldest);
    }
  }

  private forget(hash: string): void {
    this.recentCharacters -= this.recent.get(hash)?.length ?? 0;
    this.recent.delete(hash);
  }

  private fileOf(hash: string): string {
    // A hash can come from a request, and must not lead out of the folder.
    if (!/^[0-9a-f]{64}$/.test(hash)) {
      throw new Error('A content hash has 64 hexadecimal digits. Take it from an event.');
    }
    return join(this.folder, hash.slice(0, 2), hash);
  }
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function cutToLimit(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limits.contentBytesMax) return text;
  const marker = `\n[cut: ${bytes.length} bytes in all]`;
  let end = limits.contentBytesMax - marker.length;
  // Not inside a character: continuation bytes of UTF-8 are 10xxxxxx.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + marker;
}

async function writeDurably(file: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

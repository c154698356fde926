import { lstat, realpath } from 'node:fs/promises';

/** Also of a link that leads nowhere. */
export async function isThere(path: string | Buffer): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** An agent may have put a link in the place of its folder, which leads to files that are not its work. */
export async function isRealFolder(path: string): Promise<boolean> {
  const entry = await lstat(path).catch(() => undefined);
  return entry?.isDirectory() === true && (await realpath(path)) === path;
}

import { watch, type FSWatcher } from 'node:fs';
import { limits } from '#kernel/limits.js';
import { Pacer } from '../pacer.js';

/**
 * Runs `pass` soon after something changed below the folders, and now and then in any case: not every
 * system and not every disk tells of changes. Ends with the signal, or rejects with what `pass` threw.
 */
export async function follow(
  folders: readonly string[],
  signal: AbortSignal,
  pass: () => Promise<void>,
): Promise<void> {
  let fail: (error: unknown) => void = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    fail = reject;
    signal.addEventListener('abort', () => {
      resolve();
    });
    if (signal.aborted) resolve();
  });
  const pacer = new Pacer(() => pass().catch(fail), limits.transcriptSettleMs);
  const nudge = (): void => {
    pacer.nudge();
  };
  const poll = setInterval(nudge, limits.transcriptPollMs);
  const watchers = folders.flatMap((folder) => watcherOf(folder, nudge) ?? []);
  try {
    await ended;
  } finally {
    clearInterval(poll);
    for (const watcher of watchers) watcher.close();
    await pacer.stop('drop the rest');
  }
}

function watcherOf(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { recursive: true, persistent: false }, onChange);
    // From then on the poll alone finds what is new.
    watcher.on('error', () => {
      watcher.close();
    });
    return watcher;
  } catch {
    return undefined;
  }
}

import { join } from 'node:path';
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { Projector } from '#platform/projector.js';
import { projections } from './projections.js';

/**
 * The projector has a thread and connections of its own, so that catching up with a long log never
 * keeps the server from answering.
 */
yieldToOtherThreads();
const { home } = workerData as { readonly home: string };
const stopping = new AbortController();
parentPort?.once('message', () => {
  stopping.abort();
});

const log = SqliteLog.open(join(home, 'events.db'), { readOnly: true });
try {
  await projectUntilStopped();
} finally {
  // Also when a projection has failed: the files are closed in order before the thread ends.
  await log.close();
  // Listening to the parent would keep the thread alive.
  parentPort?.close();
}

async function projectUntilStopped(): Promise<void> {
  const projector = await Projector.open({
    home,
    log,
    projections,
    report: (sentence) => {
      console.error(sentence);
    },
  });
  if (projector === undefined) {
    parentPort?.postMessage('busy');
    return;
  }
  parentPort?.postMessage('running');
  try {
    await projector.run(stopping.signal);
  } finally {
    projector.close();
  }
}

/** Where cores are few, what comes in goes first. Only Linux gives threads priorities of their own. */
function yieldToOtherThreads(): void {
  try {
    const threadId = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(threadId, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It then takes its turn with all others.
  }
}

import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { renewSnapshot } from './snapshot-file.js';

/** Folds a long history behind a running server, whose own thread goes on deciding. */
const { home } = workerData as { readonly home: string };
const stopping = new AbortController();
parentPort?.once('message', () => {
  stopping.abort();
});

const log = SqliteLog.open(join(home, 'events.db'), { readOnly: true });
try {
  const report = (sentence: string) => parentPort?.postMessage({ sentence });
  const streamVersion = await renewSnapshot(home, log, report, stopping.signal);
  parentPort?.postMessage({ streamVersion });
} finally {
  await log.close();
  // Listening to the parent would keep the thread alive.
  parentPort?.close();
}

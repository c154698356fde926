import { parentPort, workerData } from 'node:worker_threads';
import { verifyChain } from '#eventstore/src/verify.js';

/** Walks the log behind a running server, whose own thread goes on answering. */
const { file } = workerData as { readonly file: string };
parentPort?.postMessage(verifyChain(file));

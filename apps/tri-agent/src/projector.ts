import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { House, RunningRole } from './house.js';
import { StartError } from './start-error.js';

/**
 * The role that keeps the read models up with the log, in a thread of its own. There is one on a data
 * folder. When it fails the process ends: a projection that throws is a bug, and the tables are safe.
 */
export async function startProjector({ config, fail }: House): Promise<RunningRole> {
  const thread = new Worker(new URL('./projector.thread.js', import.meta.url), {
    workerData: { home: config.home },
    // It looks at a thousand events at a time and keeps none: more room would only be filled.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  // Listened to from the start: a thread that fails has ended before anybody asks it to stop.
  const ended = new Promise<void>((resolve) => {
    thread.once('exit', () => {
      resolve();
    });
  });
  const [answer] = (await once(thread, 'message')) as ['running' | 'busy'];
  if (answer === 'busy') {
    // It listens for the word to stop, which would keep the process from ending.
    await thread.terminate();
    throw new StartError(
      `Another projector already works on ${config.home}. ` +
        'Stop it, or leave the role out here: --roles=receiver,api.',
    );
  }
  thread.on('error', fail);
  return {
    stop: async () => {
      thread.postMessage('stop');
      await ended;
    },
  };
}

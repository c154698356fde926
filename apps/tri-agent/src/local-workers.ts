import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { limits } from '#kernel/limits.js';
import type { RunningRole } from './house.js';

/**
 * Workers beside the server, as a process of their own: whoever starts one machine's tower gets a pool
 * that runs what is queued. Without an agent's command line they say so and end; the server goes on.
 */
export function startLocalWorkers(http: number): RunningRole {
  const main = fileURLToPath(new URL('../../tri-agent-worker/src/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, '--pool'], {
    env: { ...process.env, TRI_AGENT_URL: `http://127.0.0.1:${http}` },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');
  return {
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      // They end their agents first, and give back what they hold.
      const givenUp = setTimeout(() => child.kill('SIGKILL'), limits.localWorkersStopMs);
      await ended;
      clearTimeout(givenUp);
    },
  };
}

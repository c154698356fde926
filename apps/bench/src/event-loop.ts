import type { ServerProcess } from '#platform/server-process.js';

export interface EventLoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The timer that measures the delay runs this often, and its readings count from its last run. */
const readEveryMs = 10;

/**
 * For how long the server's event loop answered nobody since this was last asked, from /metrics;
 * undefined for a server that has no role api.
 */
export async function eventLoopDelayOf(server: ServerProcess): Promise<EventLoopDelay | undefined> {
  if (server.ports.http === null) return undefined;
  const answer = await fetch(`${server.url}/metrics`);
  const metrics = await answer.text();
  const milliseconds = (figure: string): number => {
    const line = new RegExp(`^nodejs_eventloop_lag_${figure}_seconds (\\S+)`, 'm').exec(metrics);
    return Math.max(0, Number(line?.[1]) * 1_000 - readEveryMs);
  };
  return { p99Ms: milliseconds('p99'), maxMs: milliseconds('max') };
}

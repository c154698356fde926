import { Counter, Gauge, type Registry } from 'prom-client';
import type { Watch } from './watch.js';

/** What Prometheus is told of agents at work, read when it asks. */
export function registerWatchMetrics(registry: Registry, watch: Watch): void {
  new Gauge({
    name: 'tri_agent_sessions_silent',
    help: 'Sessions of which nothing is heard while a model works for them.',
    registers: [registry],
    collect() {
      this.set(watch.silentNow().length);
    },
  });
  new Gauge({
    name: 'tri_agent_estimated_nano_usd',
    help: 'What silent sessions are estimated to have spent, in nano-dollars.',
    registers: [registry],
    collect() {
      this.set(watch.estimatedNanoUsd('all', 0, Number.MAX_SAFE_INTEGER));
    },
  });
  new Counter({
    name: 'tri_agent_loops_total',
    help: 'Loops that were detected since the start.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(watch.loopsSeen);
    },
  });
}

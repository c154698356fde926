import { Gauge, type Registry } from 'prom-client';
import type { Dispatcher } from './dispatcher.js';
import { lanesAnswer } from './queue-answers.js';

/** What Prometheus is told of the queue, read when it asks. */
export function registerDispatchMetrics(registry: Registry, dispatcher: Dispatcher): void {
  let refreshing: Promise<void> | undefined;
  // All gauges of one scrape are collected at once: the queue is looked at once for all of them.
  const collect = (): Promise<void> =>
    (refreshing ??= refresh()
      // Nobody knows while the log cannot be read: the other metrics are still worth having.
      .catch(() => undefined)
      .finally(() => {
        refreshing = undefined;
      }));
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name: `tri_agent_${name}`, help, labelNames, registers: [registry], collect });
  const tasks = gauge('tasks', 'Tasks that have not ended.', ['lane', 'status']);
  const oldestHelp = 'For how long the first task that could be claimed has waited.';
  const oldest = gauge('oldest_ready_task_seconds', oldestHelp, ['lane']);
  const workers = gauge('workers', 'Workers that are registered.');
  const coolDowns = gauge('cool_downs', 'Accounts and models of providers that are left alone.');
  const ofShard = (name: string, help: string) => gauge(`shard_${name}`, help, ['shard']);
  const arrivals = ofShard('arrivals_per_hour', 'Tasks that came in (lambda).');
  const served = ofShard('served_per_hour_per_slot', 'What a slot gets done (mu).');
  const utilisation = ofShard('utilisation', 'Arrivals by what all slots can do (rho).');
  const expected = ofShard('expected_wait_seconds', 'The wait that M/M/c expects (Wq).');
  const observed = ofShard('observed_wait_seconds', 'The mean wait that was seen.');

  async function refresh(): Promise<void> {
    const state = await dispatcher.state();
    const { items } = lanesAnswer(state, dispatcher.nowMs);
    for (const { lane, waiting, ready, delayed, running, paused, oldestWaitMs } of items) {
      const counts = { waiting, ready, delayed, running, paused };
      for (const [status, count] of Object.entries(counts)) {
        tasks.set({ lane, status }, count);
      }
      oldest.set({ lane }, (oldestWaitMs ?? 0) / 1_000);
    }
    workers.set(state.workers.size);
    coolDowns.set(state.coolingDown.size);
    const figures = await dispatcher.figures();
    for (const { shard, ...figure } of figures.shards) {
      arrivals.set({ shard }, figure.arrivalsPerHour);
      // What is not known, or without end, is no number.
      served.set({ shard }, figure.servedPerHourPerSlot ?? Number.NaN);
      utilisation.set({ shard }, figure.utilisation ?? Number.NaN);
      expected.set({ shard }, (figure.expectedWaitMs ?? Number.NaN) / 1_000);
      observed.set({ shard }, (figure.observedWaitMs?.mean ?? Number.NaN) / 1_000);
    }
  }
}

import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { ProjectionLag } from '#platform/projection-lag.js';

/** Where the figures come from, each when it is asked for. A role leaves out what it has not. */
export interface GaugeSources {
  readonly logHead?: () => Promise<bigint>;
  readonly logWalBytes?: () => number;
  readonly appendsWaiting?: () => number;
  readonly projectionLags?: () => Promise<readonly ProjectionLag[]>;
  readonly unpricedModels?: () => number;
}

/** Adds the process's own metrics (event loop, memory, GC) and the gauges of these sources. */
export function registerGauges(registry: Registry, sources: GaugeSources): void {
  collectDefaultMetrics({ register: registry });
  const { logHead, logWalBytes, appendsWaiting, projectionLags, unpricedModels } = sources;
  if (logHead !== undefined) {
    gauge(
      registry,
      'tri_agent_log_head_position',
      'Position of the last event of the log.',
      async () => Number(await logHead()),
    );
  }
  if (logWalBytes !== undefined) {
    gauge(
      registry,
      'tri_agent_log_wal_bytes',
      'Size of the write-ahead log of the log.',
      logWalBytes,
    );
  }
  if (appendsWaiting !== undefined) {
    const help = 'Appends that wait for their commit.';
    gauge(registry, 'tri_agent_log_appends_waiting', help, appendsWaiting);
  }
  if (unpricedModels !== undefined) {
    const help = 'Models that were used and for which the price book has no price.';
    gauge(registry, 'tri_agent_unpriced_models', help, unpricedModels);
  }
  if (projectionLags !== undefined) registerLags(registry, projectionLags);
}

function gauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number | Promise<number>,
): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      try {
        this.set(await read());
      } catch {
        // Nobody knows: the other metrics are still worth having.
        this.set(Number.NaN);
      }
    },
  });
}

type Lags = Promise<readonly ProjectionLag[]>;

function registerLags(registry: Registry, projectionLags: () => Lags): void {
  let asking: Lags | undefined;
  // Both gauges of one scrape are collected at once: the log is asked once for both.
  const ask = (): Lags =>
    (asking ??= projectionLags()
      .catch(() => [])
      .finally(() => {
        asking = undefined;
      }));
  const lagGauge = (name: string, help: string, figure: (lag: ProjectionLag) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['projection'],
      registers: [registry],
      async collect() {
        this.reset();
        for (const lag of await ask()) this.set({ projection: lag.projection }, figure(lag));
      },
    });
  lagGauge(
    'tri_agent_projection_lag_events',
    'Positions of the log that the read model has not seen.',
    ({ positions }) => Number(positions),
  );
  lagGauge(
    'tri_agent_projection_lag_seconds',
    'For how long the first event that the read model has not seen has been in the log.',
    ({ milliseconds }) => milliseconds / 1_000,
  );
}

import type { Context } from '#platform/context.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';

/** How this process is. Needs providers of prom-client's Registry and of HEALTH_CHECKS. */
export const metrics: Context = {
  controllers: [HealthController, MetricsController],
  providers: [],
  // They are not part of the API: no version, no token on loopback.
  routes: [],
};

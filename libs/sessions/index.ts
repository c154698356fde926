import type { Context } from '#platform/context.js';
import { CorrectUsageHandler } from './correct-usage.js';
import { CorrectionsController, correctionsRoutes } from './corrections.controller.js';
import { CoverageController, coverageRoutes } from './coverage.controller.js';
import { CoverageQueries } from './coverage.queries.js';
import { ModelsQueries } from './models.queries.js';
import { SessionsController, sessionsRoutes } from './sessions.controller.js';
import { SessionsQueries } from './sessions.queries.js';
import { StreamController, streamRoutes } from './stream.controller.js';
import { UsageController, usageRoutes } from './usage.controller.js';
import { UsageQueries } from './usage.queries.js';

/** Agent sessions and what they use. The API needs providers of EventLog, ReadModels, PriceSource and Clock. */
export const sessions: Context = {
  controllers: [
    SessionsController,
    UsageController,
    CoverageController,
    CorrectionsController,
    StreamController,
  ],
  providers: [SessionsQueries, UsageQueries, ModelsQueries, CoverageQueries, CorrectUsageHandler],
  routes: [
    ...sessionsRoutes,
    ...usageRoutes,
    ...coverageRoutes,
    ...correctionsRoutes,
    ...streamRoutes,
  ],
};

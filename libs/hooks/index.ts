import type { Context } from '#platform/context.js';
import { HooksController, hooksRoutes } from './hooks.controller.js';
import { Hooks } from './hooks.js';

/**
 * What agents tell and ask by their hooks. The API needs providers of Gate, AgentProcesses, EventLog,
 * Redactor, Clock and the metrics' Registry.
 */
export const hooks: Context = {
  controllers: [HooksController],
  providers: [Hooks],
  routes: hooksRoutes,
};

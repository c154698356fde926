import type { Context } from '#platform/context.js';
import { WatchController, watchRoutes } from './watch.controller.js';

/** What is noticed of agents at work that they do not tell themselves. The API needs a provider of Watch. */
export const watch: Context = {
  controllers: [WatchController],
  providers: [],
  routes: watchRoutes,
};

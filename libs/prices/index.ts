import type { Context } from '#platform/context.js';
import { PricesController, pricesRoutes } from './prices.controller.js';
import { PublishPricesHandler } from './publish-prices.js';
import { UnpricedModelsQueries } from './unpriced-models.queries.js';

/** What model requests cost. The API needs providers of LivePrices, ReadModels and Clock. */
export const prices: Context = {
  controllers: [PricesController],
  providers: [PublishPricesHandler, UnpricedModelsQueries],
  routes: pricesRoutes,
};

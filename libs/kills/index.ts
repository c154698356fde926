import type { Context } from '#platform/context.js';
import { KillsController, killsRoutes } from './kills.controller.js';
import { OrderKillHandler } from './order-kill.js';

/** The kill switch. The API needs providers of KillSwitch, KillPorts and Redactor. */
export const kills: Context = {
  controllers: [KillsController],
  providers: [OrderKillHandler],
  routes: killsRoutes,
};

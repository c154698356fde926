import { budgets } from '#libs/budgets/index.js';
import { dispatch } from '#libs/dispatch/index.js';
import { hooks } from '#libs/hooks/index.js';
import { kills } from '#libs/kills/index.js';
import { metrics } from '#libs/metrics/index.js';
import { notify } from '#libs/notify/index.js';
import { prices } from '#libs/prices/index.js';
import { sessions } from '#libs/sessions/index.js';
import { imports } from '#libs/telemetry/imports.controller.js';
import { watch } from '#libs/watch/index.js';
import type { Context } from '#platform/context.js';

/** Every context that answers questions or takes facts. */
export const contexts: readonly Context[] = [
  sessions,
  prices,
  imports,
  dispatch,
  budgets,
  kills,
  hooks,
  watch,
  notify,
  metrics,
];

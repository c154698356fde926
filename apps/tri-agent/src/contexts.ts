import { dispatch } from '#libs/dispatch/index.js';
import { metrics } from '#libs/metrics/index.js';
import { notify } from '#libs/notify/index.js';
import { prices } from '#libs/prices/index.js';
import { sessions } from '#libs/sessions/index.js';
import { imports } from '#libs/telemetry/imports.controller.js';
import type { Context } from '#platform/context.js';

/** Every context that answers questions or takes facts. */
export const contexts: readonly Context[] = [sessions, prices, imports, dispatch, notify, metrics];

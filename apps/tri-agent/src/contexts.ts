import { metrics } from '#libs/metrics/index.js';
import { sessions } from '#libs/sessions/index.js';
import type { Context } from '#platform/context.js';

/** Every context that is asked or projected. A role takes its facet of each. */
export const contexts: readonly Context[] = [sessions, metrics];

export const projections = contexts.flatMap((context) => context.projections ?? []);

import type { Projection } from '#platform/projection.js';
import { sessionsProjection } from './sessions.projection.js';
import { statedTotalsProjection } from './stated-totals.projection.js';
import { usageProjection } from './usage.projection.js';

/**
 * What the projector takes of this context. It stands apart from the rest, so that the projector's
 * thread, which has a heap of its own, loads no controllers.
 */
export const sessionsProjections: readonly Projection[] = [
  sessionsProjection,
  usageProjection,
  statedTotalsProjection,
];

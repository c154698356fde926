import type { Projection } from '#platform/projection.js';
import { tasksProjection } from './tasks.projection.js';

/** What the projector takes of this context; apart from the rest, so that its thread loads no more. */
export const dispatchProjections: readonly Projection[] = [tasksProjection];

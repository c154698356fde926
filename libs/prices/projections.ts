import type { Projection } from '#platform/projection.js';
import { unpricedModelsProjection } from './unpriced-models.projection.js';

/** What the projector takes of this context; apart from the rest, so that its thread loads no more. */
export const pricesProjections: readonly Projection[] = [unpricedModelsProjection];

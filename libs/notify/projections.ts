import type { Projection } from '#platform/projection.js';
import { noticesProjection } from './notices.projection.js';

/** What the projector takes of this context; apart from the rest, so that its thread loads no more. */
export const notifyProjections: readonly Projection[] = [noticesProjection];

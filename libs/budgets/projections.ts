import type { Projection } from '#platform/projection.js';
import { budgetHistoryProjection } from './budgets.projection.js';

/** What the projector takes of this context; apart from the rest, so that its thread loads no more. */
export const budgetsProjections: readonly Projection[] = [budgetHistoryProjection];

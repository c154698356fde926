import { budgetsProjections } from '#libs/budgets/projections.js';
import { dispatchProjections } from '#libs/dispatch/projections.js';
import { notifyProjections } from '#libs/notify/projections.js';
import { pricesProjections } from '#libs/prices/projections.js';
import { sessionsProjections } from '#libs/sessions/projections.js';
import type { Projection } from '#platform/projection.js';

/** Every read model of every context. */
export const projections: readonly Projection[] = [
  ...sessionsProjections,
  ...pricesProjections,
  ...dispatchProjections,
  ...budgetsProjections,
  ...notifyProjections,
];

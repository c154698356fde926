import type { Provider, Type } from '@nestjs/common';
import type { ApiRoute } from './openapi.js';
import type { Projection } from './projection.js';

/**
 * The public face of a context: what it adds to each role. A role is one facet of every context:
 * receiver = intake, api = api, projector = projections.
 */
export interface Context {
  readonly intake?: {
    readonly controllers: readonly Type[];
    readonly providers: readonly Provider[];
  };
  readonly api?: {
    readonly controllers: readonly Type[];
    readonly providers: readonly Provider[];
    /** What the API's document says of them. */
    readonly routes?: readonly ApiRoute[];
  };
  readonly projections?: readonly Projection[];
}

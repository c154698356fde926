import type { Provider, Type } from '@nestjs/common';
import type { ApiRoute } from './openapi.js';
import type { Projection } from './projection.js';

/**
 * The public face of a context: what it adds to the roles api and projector. (The receiver is one
 * context's alone, libs/telemetry, and needs no facet.)
 */
export interface Context {
  readonly api?: {
    readonly controllers: readonly Type[];
    readonly providers: readonly Provider[];
    /** What the API's document says of them. */
    readonly routes?: readonly ApiRoute[];
  };
  readonly projections?: readonly Projection[];
}

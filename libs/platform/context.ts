import type { Provider, Type } from '@nestjs/common';
import type { ApiRoute } from './openapi.js';

/**
 * The public face of a context: what it adds to each role. A role is one facet of every context:
 * receiver = intake, api = api. What the projector takes stands in the context's `projections.ts`,
 * apart from this, because its thread is to load nothing else.
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
}

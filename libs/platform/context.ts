import type { Provider, Type } from '@nestjs/common';
import type { ApiRoute } from './openapi.js';

/**
 * The public face of a context towards the role api. What the projector takes stands in the context's
 * `projections.ts`, apart from this, because its thread is to load nothing else; the receiver is
 * libs/telemetry alone.
 */
export interface Context {
  readonly controllers: readonly Type[];
  readonly providers: readonly Provider[];
  /** What the API's document says of its routes. */
  readonly routes: readonly ApiRoute[];
}

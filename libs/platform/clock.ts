/** Milliseconds since 1970, as the edge sees it. A class so that it is its own injection token. */
export class Clock {
  now(): number {
    return Date.now();
  }
}

/** The time as the edge sees it. A class so that it is its own injection token. */
export class Clock {
  /** Milliseconds since 1970. */
  now(): number {
    return Date.now();
  }
}

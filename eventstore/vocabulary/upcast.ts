/**
 * Steps from one schema version of an event type to the next. Data is upcast when it is read, the
 * row stays as it was written. A step is never edited once its version has been written anywhere.
 */
type Upcast = (data: Record<string, unknown>) => Record<string, unknown>;

/** `upcasts[type][n]` takes version n to version n + 1. */
export const upcasts: Readonly<Record<string, Readonly<Record<number, Upcast>>>> = {
  TaskSubmitted: {
    // Version 1 knew neither tools that are allowed nor what a task may cost.
    1: (data) => ({ ...data, allowedTools: [], maxCostNanoUsd: null }),
  },
  UsageMetered: {
    // Version 1 told counters apart by kind and start alone, and not when they were read.
    1: (data) => ({ ...data, at: null }),
  },
  UsageRecorded: {
    // Version 1 did not tell how long the cache was kept for.
    1: (data) => ({ ...data, cacheCreation1hTokens: null }),
    // Version 2 knew no prices.
    2: (data) => ({ ...data, tier: null, computedNanoUsd: null }),
  },
  WorkerRegistered: {
    // Version 1 told neither versions nor how processes are held together.
    1: (data) => ({ ...data, agents: [], containment: null }),
  },
};

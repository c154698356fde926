import type { EventLog } from '#eventstore/src/log.js';
import type { ReadModels } from './read-models.js';

export interface ProjectionLag {
  readonly projection: string;
  /** Positions between it and the end of the log: events, where the log counts by one. */
  readonly positions: bigint;
  /** For how long the first event that it has not applied has been in the log; 0 when up to date. */
  readonly milliseconds: number;
}

export async function projectionLags(
  log: EventLog,
  models: ReadModels,
  nowMs: number,
): Promise<ProjectionLag[]> {
  const positions = models.positions();
  const head = await log.head();
  const waitingSince = new Map<bigint, number>();
  const lags: ProjectionLag[] = [];
  for (const { name, position } of positions) {
    if (position >= head) {
      lags.push({ projection: name, positions: 0n, milliseconds: 0 });
      continue;
    }
    const since = waitingSince.get(position) ?? (await recordedAfter(log, position)) ?? nowMs;
    waitingSince.set(position, since);
    const milliseconds = Math.max(0, nowMs - since);
    lags.push({ projection: name, positions: head - position, milliseconds });
  }
  return lags;
}

async function recordedAfter(log: EventLog, position: bigint): Promise<number | undefined> {
  const reading = new AbortController();
  try {
    for await (const [first] of log.follow(position, { signal: reading.signal, batchEvents: 1 })) {
      if (first !== undefined) return Date.parse(first.metadata.recordedAt);
    }
    return undefined;
  } finally {
    reading.abort();
  }
}

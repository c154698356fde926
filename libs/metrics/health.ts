import { statfs } from 'node:fs/promises';
import { limits } from '#kernel/limits.js';
import type { ProjectionLag } from '#platform/projection-lag.js';

/** One thing that must hold for this process to do its work. A role has those that concern it. */
export interface HealthCheck {
  readonly name: string;
  /** Resolves to what was found. Rejects with what is wrong and what to do. */
  readonly check: () => Promise<string>;
}

export interface HealthFinding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** @param tryToWrite begins a write transaction on the log and takes it back; throws when it cannot. */
export function logIsWritable(tryToWrite: () => void | Promise<void>): HealthCheck {
  return {
    name: 'log writable',
    check: async () => {
      await tryToWrite();
      return 'The log takes events.';
    },
  };
}

export function projectionsKeepUp(lags: () => Promise<readonly ProjectionLag[]>): HealthCheck {
  return {
    name: 'projections up to date',
    check: async () => {
      const all = await lags();
      if (all.length === 0) throw new Error('No read model has been built yet.');
      const [worst] = all.toSorted((a, b) => b.milliseconds - a.milliseconds);
      if (worst !== undefined && worst.milliseconds > limits.projectionLagMs) {
        const seconds = Math.round(worst.milliseconds / 1_000);
        throw new Error(
          `The read model "${worst.projection}" is ${seconds} s behind the log. ` +
            'See whether a projector runs, and what its console says.',
        );
      }
      return `${all.length} read models, the last ${worst?.milliseconds ?? 0} ms behind the log.`;
    },
  };
}

export function diskHasRoom(folder: string): HealthCheck {
  return {
    name: 'disk free',
    check: async () => {
      const { bavail, bsize } = await statfs(folder);
      const free = `${Math.floor((bavail * bsize) / 1_048_576)} MiB are free under ${folder}.`;
      if (bavail * bsize < limits.diskFreeBytesMin) {
        throw new Error(
          `${free} Below ${limits.diskFreeBytesMin / 1_048_576} MiB the log may fail: make room.`,
        );
      }
      return free;
    },
  };
}

/** Runs a check, for no longer than a probe waits. */
export async function findingOf({ name, check }: HealthCheck): Promise<HealthFinding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`No answer within ${limits.healthCheckMs} ms.`));
    }, limits.healthCheckMs);
  });
  try {
    return { name, ok: true, detail: await Promise.race([check(), late]) };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

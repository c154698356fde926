import { join } from 'node:path';
import type { EventLog } from '#eventstore/src/log.js';
import { limits } from '#kernel/limits.js';
import type { Projection } from './projection.js';
import { ReadModelsWriter } from './read-models-writer.js';
import { SingletonLock } from './singleton-lock.js';

export interface ProjectorOptions {
  /** The data folder: read-models.db and projector.lock are in it. */
  readonly home: string;
  readonly log: EventLog;
  readonly projections: readonly Projection[];
  /** Gets one sentence for everything that had to be thrown away. */
  readonly report: (sentence: string) => void;
}

/**
 * Keeps the read models up with the log: one follow loop, from the lowest saved position, for all
 * projections. It has no clock and touches nothing but read-models.db.
 */
export class Projector {
  private constructor(
    private readonly log: EventLog,
    private readonly models: ReadModelsWriter,
    private readonly lock: SingletonLock,
  ) {}

  /** Undefined when another projector works on this data folder. */
  static async open(options: ProjectorOptions): Promise<Projector | undefined> {
    const { home, log, projections, report } = options;
    const head = await log.head();
    const lock = SingletonLock.acquire(join(home, 'projector.lock'));
    if (lock === undefined) return undefined;
    try {
      const file = join(home, 'read-models.db');
      return new Projector(log, ReadModelsWriter.open(file, projections, head, report), lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Runs until aborted. Rejects when a projection throws: that is a bug, and the batch was not
   * applied; let the process end, so that it is seen and the batch is tried again.
   */
  async run(signal: AbortSignal): Promise<void> {
    const options = { signal, batchEvents: limits.followBatchEvents };
    for await (const batch of this.log.follow(this.models.position, options)) {
      this.models.apply(batch);
    }
  }

  async progress(): Promise<{ readonly position: bigint; readonly head: bigint }> {
    return { position: this.models.position, head: await this.log.head() };
  }

  /** Call it when `run` has ended. */
  close(): void {
    this.models.close();
    this.lock.release();
  }
}

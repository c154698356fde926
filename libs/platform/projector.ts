import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RecordedEvent } from '#kernel/event.js';
import type { EventLog } from '#eventstore/src/log.js';
import { limits } from '#kernel/limits.js';
import type { Projection } from './projection.js';
import { ReadModelsWriter } from './read-models-writer.js';
import { SingletonLock } from './singleton-lock.js';
import { sqliteCode } from './sqlite-error.js';

export interface ProjectorOptions {
  /** The data folder: read-models.db and projector.lock are in it. */
  readonly home: string;
  readonly log: EventLog;
  readonly projections: readonly Projection[];
  /** Gets one sentence for everything that had to be thrown away, and for a disk that fails. */
  readonly report: (sentence: string) => void;
}

/**
 * Keeps the read models up with the log: one follow loop, from the lowest saved position, for all
 * projections. It touches nothing but read-models.db.
 */
export class Projector {
  private constructor(
    private readonly options: ProjectorOptions,
    private models: ReadModelsWriter,
    private readonly lock: SingletonLock,
  ) {}

  /** Undefined when another projector works on this data folder. */
  static async open(options: ProjectorOptions): Promise<Projector | undefined> {
    const { home, log } = options;
    const head = await log.head();
    const lock = SingletonLock.acquire(join(home, 'projector.lock'));
    if (lock === undefined) return undefined;
    try {
      return new Projector(options, openModels(options, head), lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Runs until aborted. Rejects when a projection throws: that is a bug, and the batch was not
   * applied; let the process end, so that it is seen and the batch is tried again. A disk that is
   * full or fails is no bug: then the batch is tried until it succeeds. Nor is it one when somebody
   * deletes read-models.db: then it is built anew.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { log, report } = this.options;
    for (;;) {
      await this.runUntilGone(signal);
      if (signal.aborted) return;
      report('read-models.db was deleted while it was in use. It is rebuilt from the log.');
      this.models.close();
      this.models = openModels(this.options, await log.head());
    }
  }

  private async runUntilGone(stop: AbortSignal): Promise<void> {
    const gone = new AbortController();
    const look = setInterval(() => {
      // Without its folder there is nowhere to build, and no log to build from.
      if (this.models.isGone() && existsSync(this.options.home)) gone.abort();
    }, limits.projectorRetryMs);
    const signal = AbortSignal.any([stop, gone.signal]);
    const options = { signal, batchEvents: limits.followBatchEvents };
    try {
      for await (const batch of this.options.log.follow(this.models.position, options)) {
        await this.apply(batch, signal);
      }
    } finally {
      clearInterval(look);
    }
  }

  private async apply(batch: readonly RecordedEvent[], signal: AbortSignal): Promise<void> {
    for (let reported = false; !signal.aborted; reported = true) {
      try {
        this.models.apply(batch);
        return;
      } catch (error) {
        if (!isOfTheDisk(error)) throw error;
        if (!reported) {
          const reason = (error as Error).message;
          this.options.report(
            `The read models cannot be written now (${reason}): make room. They wait.`,
          );
        }
      }
      await delay(limits.projectorRetryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async progress(): Promise<{ readonly position: bigint; readonly head: bigint }> {
    return { position: this.models.position, head: await this.options.log.head() };
  }

  /** Call it when `run` has ended. */
  close(): void {
    this.models.close();
    this.lock.release();
  }
}

function openModels({ home, projections, report }: ProjectorOptions, head: bigint) {
  return ReadModelsWriter.open(join(home, 'read-models.db'), projections, head, report);
}

function isOfTheDisk(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR');
}

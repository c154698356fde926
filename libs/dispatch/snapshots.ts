import { Worker } from 'node:worker_threads';
import type { EventLog } from '#eventstore/src/log.js';
import { limits } from '#kernel/limits.js';
import { loadSnapshot, type Snapshot } from './snapshot-file.js';

export interface SnapshotsOptions {
  /** The data folder. */
  readonly home: string;
  /** Is told, in one sentence, when a snapshot cannot be read or written. Dispatch works without. */
  readonly report: (sentence: string) => void;
  readonly everyEvents?: number;
  readonly thread?: URL;
}

interface ThreadMessage {
  readonly sentence?: string;
  /** That of the snapshot it wrote. */
  readonly streamVersion?: number;
}

/**
 * The snapshots of dispatch: `load` the last one at the start, follow the stream from there, and then
 * have it renewed, which a thread of its own does.
 */
export class Snapshots {
  private streamVersion = 0;
  private thread: Worker | undefined;
  private ended: Promise<void> = Promise.resolve();

  constructor(private readonly options: SnapshotsOptions) {}

  /** @returns undefined when there is none that fits: then fold the stream from its beginning. */
  async load(log: EventLog): Promise<Snapshot | undefined> {
    const snapshot = await loadSnapshot(this.options.home, log, this.options.report);
    this.streamVersion = snapshot?.streamVersion ?? 0;
    return snapshot;
  }

  /**
   * Begins to write a new one when the stream has come far enough since the last.
   *
   * @returns a promise that resolves when that has ended, well or not; nobody has to wait for it.
   */
  renewIfDue(streamVersion: number): Promise<void> {
    const { home, report, everyEvents = limits.snapshotEveryEvents } = this.options;
    if (this.thread !== undefined || streamVersion - this.streamVersion <= everyEvents) {
      return this.ended;
    }
    const url = this.options.thread ?? new URL('./snapshot.thread.js', import.meta.url);
    const thread = new Worker(url, { workerData: { home } });
    this.thread = thread;
    thread.on('message', ({ sentence, streamVersion: renewed }: ThreadMessage) => {
      if (sentence !== undefined) report(sentence);
      this.streamVersion = renewed ?? this.streamVersion;
    });
    thread.on('error', ({ message }) => {
      report(`The snapshot of dispatch was not written: ${message}. The next start takes longer.`);
    });
    this.ended = new Promise((resolve) => {
      thread.once('exit', () => {
        this.thread = undefined;
        resolve();
      });
    });
    return this.ended;
  }

  /** Waits for the end of the thread, which gives up what it was at. */
  async stop(): Promise<void> {
    this.thread?.postMessage('stop');
    await this.ended;
  }
}

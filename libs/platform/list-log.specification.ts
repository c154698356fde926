import type { RecordedEvent } from '#kernel/event.js';
import { EventLog, LogError, type Appended, type FollowOptions } from '#eventstore/src/log.js';

/** For specifications: a log that is a list, filled by `add`. Readers wake up at once. */
export class ListLog extends EventLog {
  private readonly events: RecordedEvent[] = [];
  private wake = new AbortController();

  add(...events: readonly RecordedEvent[]): void {
    this.events.push(...events);
    this.wake.abort();
    this.wake = new AbortController();
  }

  override append(): Promise<Appended[]> {
    return Promise.reject(new LogError('LOG_UNAVAILABLE', 'This log is filled by add().'));
  }

  override read(stream: string, afterVersion: number, limit: number): Promise<RecordedEvent[]> {
    const found = this.events.filter((it) => it.stream === stream && it.version > afterVersion);
    return Promise.resolve(found.slice(0, limit));
  }

  override async *follow(after: bigint, options: FollowOptions): AsyncIterable<RecordedEvent[]> {
    let position = after;
    const { signal, until } = options;
    while (!signal.aborted && (until === undefined || position < until)) {
      const isWanted = ({ type }: RecordedEvent) => options.types?.includes(type) ?? true;
      const news = this.events.filter((it) => it.position > position && isWanted(it));
      const batch = news.slice(0, options.batchEvents ?? 1000);
      const last = batch.at(-1);
      if (last === undefined) {
        await aborted(this.wake.signal, signal);
      } else {
        position = last.position;
        yield batch;
      }
    }
  }

  override head(): Promise<bigint> {
    return Promise.resolve(this.events.at(-1)?.position ?? 0n);
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      for (const signal of signals) signal.removeEventListener('abort', wake);
      resolve();
    };
    for (const signal of signals) {
      if (signal.aborted) wake();
      else signal.addEventListener('abort', wake, { once: true });
    }
  });
}

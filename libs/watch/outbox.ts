import type { EventLog } from '#eventstore/src/log.js';
import type { NewEvent } from '#kernel/event.js';
import { limits } from '#kernel/limits.js';

/** What is to be written, in order. It stays here until the log has it. */
export class Outbox {
  private waiting: NewEvent[] = [];
  private sending: Promise<void> | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly stream: string,
  ) {}

  /** Of too many that the log does not take the oldest is given up. */
  put(event: NewEvent): void {
    this.waiting.push(event);
    if (this.waiting.length > limits.watchPendingMax) this.waiting.shift();
  }

  /**
   * Resolves when all is durable that waited.
   *
   * @throws {LogError} then it waits on
   */
  async send(): Promise<void> {
    while (this.sending !== undefined) await this.sending.catch(() => undefined);
    if (this.waiting.length === 0) return;
    this.sending = this.sendAll().finally(() => {
      this.sending = undefined;
    });
    await this.sending;
  }

  private async sendAll(): Promise<void> {
    const sent = [...this.waiting];
    await this.log.append(this.stream, 'any', sent);
    const done = new Set(sent);
    this.waiting = this.waiting.filter((event) => !done.has(event));
  }
}

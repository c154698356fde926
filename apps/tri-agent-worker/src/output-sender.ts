import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import { Refused } from './server-client.js';

interface Piece {
  readonly index: number;
  readonly kind: 'text' | 'progress' | 'diff';
  readonly text: string;
}

/**
 * Sends what an agent prints behind its back: the agent never waits for the server. When the server is
 * slow or away, the oldest pieces that wait are dropped; their missing numbers tell.
 */
export class OutputSender {
  private readonly waiting: Piece[] = [];
  private index = 0;
  private hasRoom = true;
  private sending: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;
  private isSending = false;

  /** @param send tells the server of some pieces, and answers whether there is room for more */
  constructor(private readonly send: (pieces: readonly Piece[]) => Promise<boolean>) {
    this.timer = setInterval(() => {
      this.flush();
    }, limits.outputEveryMs);
  }

  add(kind: Piece['kind'], text: string): void {
    if (!this.hasRoom || text === '') return;
    const max = limits.outputPieceCharactersMax;
    for (let from = 0; from < text.length; from += max) {
      const part = text.slice(from, from + max).toWellFormed();
      this.waiting.push({ index: this.index, kind, text: part });
      this.index += 1;
    }
    const surplus = this.waiting.length - limits.outputWaitingMax;
    if (surplus > 0) this.waiting.splice(0, surplus);
  }

  /** Sends the rest, but waits no longer than a moment for a server that does not answer. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    this.flush();
    const givenUp = new AbortController();
    const moment = wait(limits.outputLastWaitMs, undefined, { signal: givenUp.signal });
    await Promise.race([this.sending, moment.catch(() => undefined)]);
    givenUp.abort();
  }

  private flush(): void {
    if (this.isSending || this.waiting.length === 0) return;
    this.isSending = true;
    this.sending = this.sendAll().finally(() => {
      this.isSending = false;
    });
  }

  private async sendAll(): Promise<void> {
    while (this.waiting.length > 0 && this.hasRoom) {
      const pieces = this.waiting.slice(0, limits.outputPiecesPerRequestMax);
      try {
        this.hasRoom = await this.send(pieces);
      } catch (error) {
        // A server that is away is asked again at the next beat of the timer.
        this.hasRoom = !(error instanceof Refused);
        return;
      }
      const sentTo = pieces.at(-1)?.index ?? 0;
      // Some may have been dropped meanwhile.
      while (this.waiting[0] !== undefined && this.waiting[0].index <= sentTo) this.waiting.shift();
    }
  }
}

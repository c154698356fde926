import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { limits } from '#kernel/limits.js';
import type { Client } from '../client.js';
import { Failure } from '../failure.js';
import type { Fact } from './facts.js';

const answer = z.looseObject({
  appended: z.number(),
  duplicates: z.number(),
  rejected: z.array(z.looseObject({ index: z.number(), reason: z.string() })),
});

export interface SenderParts {
  readonly client: Client;
  /** How often a batch is offered before the import gives up. */
  readonly triesMax: number;
  readonly onRejected: (path: string, fact: Fact, reason: string) => void;
  /** Told once when the server is away, and goes on being asked. */
  readonly onWaiting: (failure: Failure) => void;
  readonly signal: AbortSignal | undefined;
}

/** Sends facts in batches, a few at a time, while more are being read. */
export class Sender {
  appended = 0;
  duplicates = 0;
  private facts: Fact[] = [];
  private paths: string[] = [];
  private texts: string[] = [];
  private bytes = 0;
  private readonly underWay = new Set<Promise<void>>();
  private failed: unknown;

  constructor(private readonly parts: SenderParts) {}

  /** @returns what to wait for before more is offered, if anything. */
  add(facts: readonly Fact[], path: string): Promise<void> | undefined {
    for (const fact of facts) {
      const text = JSON.stringify(fact);
      const bytes = Buffer.byteLength(text) + 1;
      if (this.bytes + bytes > limits.importBodyBytesMax) this.dispatch();
      this.facts.push(fact);
      this.paths.push(path);
      this.texts.push(text);
      this.bytes += bytes;
      if (this.facts.length >= limits.importFactsMax) this.dispatch();
    }
    return this.underWay.size >= limits.importSendsInFlightMax || this.failed !== undefined
      ? this.room()
      : undefined;
  }

  /** Resolves when all that was added is with the server. */
  async finish(): Promise<void> {
    this.dispatch();
    while (this.underWay.size > 0) await Promise.race(this.underWay);
    this.throwFailure();
  }

  private async room(): Promise<void> {
    this.throwFailure();
    while (this.underWay.size >= limits.importSendsInFlightMax) await Promise.race(this.underWay);
    this.throwFailure();
  }

  private throwFailure(): void {
    if (this.failed !== undefined) throw this.failed as Error;
  }

  private dispatch(): void {
    const { facts, paths } = this;
    if (facts.length === 0) return;
    const body = `{"facts":[${this.texts.join(',')}]}`;
    this.facts = [];
    this.paths = [];
    this.texts = [];
    this.bytes = 0;
    const sending = this.send(body)
      .then(({ appended, duplicates, rejected }) => {
        this.appended += appended;
        this.duplicates += duplicates;
        for (const { index, reason } of rejected) {
          const fact = facts[index];
          if (fact !== undefined) this.parts.onRejected(paths[index] ?? '', fact, reason);
        }
      })
      .catch((error: unknown) => {
        this.failed ??= error;
      })
      .finally(() => this.underWay.delete(sending));
    this.underWay.add(sending);
  }

  private async send(body: string): Promise<z.infer<typeof answer>> {
    const { client, triesMax, signal, onWaiting } = this.parts;
    let waitMs: number = limits.importRetryMs;
    for (let tries = 1; ; tries += 1) {
      try {
        return await client.post('/api/v1/imports', answer, body);
      } catch (error) {
        if (!mayPass(error, triesMax) || tries >= triesMax || signal?.aborted === true) throw error;
        if (tries === 1) onWaiting(error);
        await delay(waitMs, undefined, signal && { signal }).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, limits.reconnectWaitMs);
      }
    }
  }
}

/** A server that is busy will not be for long; one that is not there only who follows waits for. */
function mayPass(error: unknown, triesMax: number): error is Failure {
  if (!(error instanceof Failure)) return false;
  if (error.httpStatus === 503 || error.httpStatus === 429) return true;
  return triesMax === Infinity && error.httpStatus === undefined;
}

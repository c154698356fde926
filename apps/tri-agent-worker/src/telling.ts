import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import type { Outcome } from './agents/agent.js';
import { answered, late, moved, type Claimed, type HaltOrder } from './claimed.js';
import { Refused, type ServerClient } from './server-client.js';
import type { Allowance } from './spend-guard.policy.js';

/** What the answer to anything that is told may bring. */
interface Hearing {
  /** The attempt is no longer this worker's. */
  lost(reason: string): void;
  halt(order: HaltOrder): void;
  /** The server answered to what was told at a moment of `performance.now()`. */
  heard(toldAtMs: number, allowance: Allowance | null): void;
}

const badRequest = 400;

/** What an attempt tells the server, and what it hears back. */
export class Telling {
  /** Whether the server did not answer the last time. */
  private wasAway = false;

  constructor(
    private readonly claim: Claimed,
    private readonly client: ServerClient,
    private readonly hearing: Hearing,
    /** One line for whoever looks at the worker. */
    private readonly say: (line: string) => void,
  ) {}

  /** @throws {Unreachable | Refused} */
  move(move: string, body: object): Promise<unknown> {
    const { attemptId, fencingToken } = this.claim;
    const path = `attempts/${encodeURIComponent(attemptId)}/${move}`;
    return this.client.post(path, { fencingToken, ...body });
  }

  /** Once: what is not heard now is of no use later. A word that is not understood costs no attempt. */
  async tell(move: string, body: object): Promise<void> {
    const toldAtMs = performance.now();
    try {
      const { success, data } = answered.safeParse(await this.move(move, body));
      if (!success) return;
      this.hearing.heard(toldAtMs, data.allowance);
      const { wasAway } = this;
      this.wasAway = false;
      if (data.halt !== null) this.hearing.halt(wasAway ? late(data.halt) : data.halt);
    } catch (error) {
      this.wasAway ||= !(error instanceof Refused);
      if (error instanceof Refused && error.status !== badRequest) {
        this.hearing.lost(error.message);
      }
    }
  }

  /** Until the server has heard it: how an attempt ended is not to be lost because nobody answers. */
  async insist(move: string, body: object, isGivenUp: () => boolean): Promise<unknown> {
    let waitMs: number = limits.reconnectFirstWaitMs;
    for (;;) {
      try {
        return await this.move(move, body);
      } catch (error) {
        if (error instanceof Refused) {
          this.say(`${this.claim.taskId}: ${error.message}`);
          return undefined;
        }
        if (isGivenUp()) return undefined;
      }
      await wait(waitMs);
      waitMs = Math.min(waitMs * 2, limits.reconnectWaitMs);
    }
  }

  /**
   * How it ended.
   *
   * @returns the task that was claimed with that, where there is one
   */
  async report(
    outcome: Outcome,
    claimNext: boolean,
    isGivenUp: () => boolean,
  ): Promise<Claimed | undefined> {
    // Named here, so that a repeated report brings the same task.
    const nextAttemptId = randomUUID();
    const next = { claimNext, ...(claimNext && { nextAttemptId }) };
    const move = outcome.is === 'completed' ? 'complete' : 'fail';
    const answer = await this.insist(move, { ...bodyOf(outcome), ...next }, isGivenUp);
    const { success, data } = moved.safeParse(answer);
    return (success ? data.next : null) ?? undefined;
  }

  /** Shows that the worker lives, until the attempt is over. */
  async beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await wait(this.claim.beatEveryMs, undefined, { signal }).catch(() => undefined);
      // Not heard by an aborted wait alone: the attempt may end at any await.
      if (!(signal as { readonly aborted: boolean }).aborted) await this.tell('beat', {});
    }
  }
}

function bodyOf(outcome: Outcome): object {
  if (outcome.is === 'completed') {
    return { result: outcome.result.toWellFormed().slice(0, limits.resultCharactersMax) };
  }
  const { error, retryable, statusCode, retryAfterMs } = outcome;
  return {
    error: error.toWellFormed().slice(0, limits.noteCharactersMax),
    retryable,
    ...(statusCode !== undefined && { statusCode }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

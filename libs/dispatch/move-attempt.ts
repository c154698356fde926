import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import type { Caller } from '#platform/caller.js';
import { Clock } from '#platform/clock.js';
import { ContentStore } from '#platform/content-store.js';
import { Redactor } from '#platform/redaction.js';
import type { MoveBody, Moved } from './attempts.shapes.js';
import { ClaimAnswers } from './claim-answers.js';
import type { ClaimWish, Fail } from './commands.js';
import { coolDownHint } from './cool-down-hint.js';
import { Dispatcher } from './dispatcher.js';
import type { DispatchState, RunningAttempt } from './dispatch-state.js';
import { openHalt } from './halts.decider.js';
import { actorOf, mustSpeakFor } from './worker-tokens.js';

/** A worker tells what became of its attempt. */
export class MoveAttempt extends Command<Moved> {
  constructor(
    readonly attemptId: string,
    readonly body: MoveBody,
    readonly caller: Caller,
  ) {
    super();
  }
}

type Move = Parameters<Dispatcher['move']>[0];
type Reported = Extract<MoveBody, { move: 'fail' }>;

@CommandHandler(MoveAttempt)
export class MoveAttemptHandler implements ICommandHandler<MoveAttempt> {
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly answers: ClaimAnswers,
    private readonly content: ContentStore,
    private readonly redactor: Redactor,
    private readonly clock: Clock,
  ) {}

  async execute({ attemptId, body, caller }: MoveAttempt): Promise<Moved> {
    const before = await this.dispatcher.state();
    const { workerId, taskId } = attemptIn(before, attemptId);
    mustSpeakFor(caller, workerId);
    if ('at' in body) this.refuseFuture(body.at);
    const actor = actorOf(caller);
    const claimNext = 'claimNext' in body && body.claimNext ? this.wish(body.nextAttemptId) : null;
    const move = await this.moveOf(attemptId, body, claimNext);
    const { state } = await this.dispatcher.move(move, actor);
    const attempt = state.running.get(attemptId);
    const next = claimNext === null ? undefined : state.running.get(claimNext.attemptId);
    return {
      attemptId,
      taskId,
      leaseUntil: attempt === undefined ? null : this.answers.leaseUntil(attempt),
      halt: attempt === undefined ? null : haltOf(attempt),
      allowance: attempt === undefined ? null : this.answers.allowanceOf(attempt),
      next: next === undefined ? null : ((await this.answers.of(next, actor)) ?? null),
    };
  }

  private wish(attemptId: string = randomUUID()): ClaimWish {
    return this.dispatcher.wish(attemptId);
  }

  private async moveOf(
    attemptId: string,
    body: MoveBody,
    claimNext: ClaimWish | null,
  ): Promise<Move> {
    const { fencingToken } = body;
    const ids = { attemptId, fencingToken };
    switch (body.move) {
      case 'start':
        return { type: 'start', ...ids, sessionId: this.name(body.sessionId) };
      case 'beat':
        return { type: 'beat', ...ids };
      case 'progress': {
        const { percent = null } = body;
        return { type: 'progress', ...ids, sessionId: this.name(body.sessionId), percent };
      }
      case 'complete': {
        const { result } = body;
        const resultHash =
          result === undefined ? null : await this.content.keep(this.redactor.text(result));
        return { type: 'complete', ...ids, resultHash, claimNext };
      }
      case 'fail':
        return { type: 'fail', ...ids, ...this.failure(body), claimNext };
      case 'release':
        return { type: 'release', ...ids, reason: this.note(body.reason) };
      case 'halted':
        return { type: 'halted', ...ids, ...this.halted(body) };
    }
  }

  private failure(body: Reported): Pick<Fail, 'cause' | 'error' | 'retryable' | 'coolDown'> {
    const { error, retryable, statusCode, retryAfterMs = null } = body;
    const cause = statusCode !== undefined && statusCode >= 500 ? 'provider' : 'error';
    return {
      cause,
      error: this.note(error),
      retryable,
      coolDown: coolDownHint(statusCode ?? null, retryAfterMs),
    };
  }

  private halted(body: Extract<MoveBody, { move: 'halted' }>) {
    const { sessionId, ended: processesEnded, survivors, cutOff = null } = body;
    return {
      cutOff: cutOff && { ...cutOff, reason: this.note(cutOff.reason) },
      sessionId: this.name(sessionId ?? undefined),
      processesEnded,
      survivors: survivors.map(({ pid, name }) => ({ pid, name: this.note(name) })),
    };
  }

  private name(sessionId: string | undefined): string | null {
    return sessionId === undefined ? null : this.redactor.value(sessionId);
  }

  private note(text: string): string {
    return this.redactor.text(text.toWellFormed()).slice(0, limits.freeTextCharactersMax);
  }

  /** @throws {Refusal} for a worker whose clock is ahead: what it says of times is of no use. */
  private refuseFuture(at: string | undefined): void {
    if (at === undefined) return;
    const aheadMs = Date.parse(at) - this.clock.now();
    if (aheadMs <= limits.clockOffMs) return;
    const message = `at: ${at} is ${Math.round(aheadMs / 1_000)} s ahead of the server's clock. Set the worker's clock, or leave it out.`;
    throw new Refusal('BAD_REQUEST', message, { field: 'at' });
  }
}

/** The order that stands, so that a worker hears of it whatever became of the stream on which it was told. */
function haltOf(attempt: RunningAttempt): Moved['halt'] {
  const order = openHalt(attempt);
  return order === undefined ? null : { how: order.how, reason: order.reason };
}

/** @throws {Refusal} `ATTEMPT_NOT_FOUND` */
export function attemptIn(
  state: DispatchState,
  attemptId: string,
): { readonly workerId: string; readonly taskId: string } {
  const attempt = state.running.get(attemptId) ?? state.ended.get(attemptId);
  if (attempt !== undefined) return attempt;
  const message = `There is no attempt ${attemptId}, or it ended long ago. Claim a task to begin one.`;
  throw new Refusal('ATTEMPT_NOT_FOUND', message, { attemptId });
}

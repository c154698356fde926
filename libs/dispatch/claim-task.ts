import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Caller } from '#platform/caller.js';
import type { ClaimAnswer, ClaimBody } from './attempts.shapes.js';
import { ClaimAnswers } from './claim-answers.js';
import { Dispatcher } from './dispatcher.js';
import { actorOf, mustSpeakFor } from './worker-tokens.js';

/** A worker wants a task. Answers undefined when there is none within the time it wants to wait. */
export class ClaimTask extends Command<ClaimAnswer | undefined> {
  /** @param gone ends the wait, because nobody is there any more to take the answer. */
  constructor(
    readonly wanted: ClaimBody,
    readonly caller: Caller,
    readonly gone: AbortSignal,
  ) {
    super();
  }
}

@CommandHandler(ClaimTask)
export class ClaimTaskHandler implements ICommandHandler<ClaimTask> {
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly answers: ClaimAnswers,
  ) {}

  async execute({ wanted, caller, gone }: ClaimTask): Promise<ClaimAnswer | undefined> {
    const { workerId, waitMs, attemptId = randomUUID() } = wanted;
    mustSpeakFor(caller, workerId);
    const actor = actorOf(caller);
    const attempt = await this.claim(waitMs, gone, (patience) =>
      this.dispatcher.claim(workerId, attemptId, actor, patience),
    );
    if (attempt === undefined) return undefined;
    if (gone.aborted) {
      const { fencingToken } = attempt;
      const reason = 'Its worker went away before it was told.';
      await this.dispatcher.move({ type: 'release', attemptId, fencingToken, reason }, actor);
      return undefined;
    }
    return this.answers.of(attempt, actor);
  }

  /** The wait ends with its time, or when nobody is there any more. */
  private async claim<Attempt>(
    waitMs: number,
    gone: AbortSignal,
    claim: (patience: AbortSignal | undefined) => Promise<Attempt>,
  ): Promise<Attempt> {
    if (waitMs === 0) return claim(undefined);
    const patience = new AbortController();
    const end = (): void => {
      patience.abort();
    };
    const timer = setTimeout(end, waitMs);
    gone.addEventListener('abort', end);
    if (gone.aborted) end();
    try {
      return await claim(patience.signal);
    } finally {
      clearTimeout(timer);
      gone.removeEventListener('abort', end);
    }
  }
}

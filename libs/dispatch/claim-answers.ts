import { Injectable } from '@nestjs/common';
import { formatUsd } from '#kernel/money.js';
import { ContentStore } from '#platform/content-store.js';
import { Allowances } from './allowances.js';
import type { AllowanceAnswer, ClaimAnswer } from './attempts.shapes.js';
import { Dispatcher } from './dispatcher.js';
import { taskOf, type RunningAttempt } from './dispatch-state.js';
import { beatEveryMs } from './signs.js';

/** What a worker is told of the task that it got. */
@Injectable()
export class ClaimAnswers {
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly content: ContentStore,
    private readonly allowances: Allowances,
  ) {}

  /** Undefined when its prompt has been erased: the task then goes to the dead letters. */
  async of(attempt: RunningAttempt, actor: string): Promise<ClaimAnswer | undefined> {
    const { attemptId, taskId, fencingToken, agent, provider, account, model } = attempt;
    const { spec, lane, spentAttempts } = taskOf(await this.dispatcher.state(), taskId);
    const prompt = await this.content.read(spec.promptHash);
    if (prompt === undefined) {
      const error = 'Its prompt has been erased from the content store. Submit the task anew.';
      const failed = { type: 'fail', attemptId, fencingToken, error, cause: 'error' } as const;
      const forGood = { retryable: false, coolDown: null, claimNext: null };
      await this.dispatcher.move({ ...failed, ...forGood }, actor);
      return undefined;
    }
    const { shard, size, directory, repository, ref, team, project, tags } = spec;
    const { permissionMode, timeoutMs, allowedTools, maxCostNanoUsd } = spec;
    const { carriesOn } = attempt;
    return {
      taskId,
      attemptId,
      fencingToken,
      leaseUntil: this.leaseUntil(attempt),
      beatEveryMs: beatEveryMs(attempt.leaseMs),
      resume: carriesOn && { sessionId: carriesOn.sessionId, attemptId: carriesOn.attemptId },
      allowance: this.allowanceOf(attempt),
      prices: this.allowances.pricesOf(agent, provider),
      task: {
        ...{ prompt, agent, provider, account, model, shard, lane, size },
        ...{ directory, repository, ref, team, project, tags: [...tags], permissionMode },
        ...{ allowedTools: [...allowedTools], maxCostUsd: usdOf(maxCostNanoUsd) },
        ...{ timeoutMs, progressMs: attempt.progressMs, attempt: spentAttempts + 1 },
      },
    };
  }

  /** What it may spend by what is known now; null = that is not known. */
  allowanceOf({ scopes, taskId, sessionId }: RunningAttempt): AllowanceAnswer | null {
    const own = [`task:${taskId}`, ...(sessionId === null ? [] : [`session:${sessionId}`])];
    const known = this.allowances.of(new Set([...scopes, ...own]));
    if (known === undefined) return null;
    const { remainingNanoUsd, nanoUsdPerMinute } = known;
    return { remainingUsd: usdOf(remainingNanoUsd), usdPerMinute: usdOf(nanoUsdPerMinute) };
  }

  /** From now, since whoever asks has just shown that it lives. */
  leaseUntil({ leaseMs }: RunningAttempt): string {
    return this.dispatcher.wallTimeOf(this.dispatcher.nowMs + leaseMs);
  }
}

function usdOf(nanoUsd: number | null): string | null {
  return nanoUsd === null ? null : formatUsd(BigInt(nanoUsd));
}

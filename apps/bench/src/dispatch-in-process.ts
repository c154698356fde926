import { join } from 'node:path';
import { SqliteLog } from '#eventstore/src/sqlite-log.js';
import { Allowances, type Allowance } from '#libs/dispatch/allowances.js';
import type { MoveBody } from '#libs/dispatch/attempts.shapes.js';
import { ClaimAnswers } from '#libs/dispatch/claim-answers.js';
import { ClaimTask, ClaimTaskHandler } from '#libs/dispatch/claim-task.js';
import { Dispatcher } from '#libs/dispatch/dispatcher.js';
import { MoveAttempt, MoveAttemptHandler } from '#libs/dispatch/move-attempt.js';
import { RegisterWorker, RegisterWorkerHandler } from '#libs/dispatch/register-worker.js';
import { taskBody } from '#libs/dispatch/submission.shapes.js';
import { SubmitTasks, SubmitTasksHandler } from '#libs/dispatch/submit-tasks.js';
import { workerBody } from '#libs/dispatch/workers.shapes.js';
import { limits } from '#kernel/limits.js';
import { Clock } from '#platform/clock.js';
import { ContentStore } from '#platform/content-store.js';
import { Redactor } from '#platform/redaction.js';
import {
  waitBy,
  workOffBy,
  type ClaimingWorker,
  type QueueContender,
  type WorkedOff,
} from './queue-contender.js';

type Claimed = NonNullable<Awaited<ReturnType<ClaimTaskHandler['execute']>>>;

const operator = { workerId: null };

/**
 * All that the server does for a request, without HTTP: the command handlers on a log of their own,
 * prompts in the content store.
 */
export class DispatchInProcess implements QueueContender {
  private readonly log: SqliteLog;
  private readonly dispatcher: Dispatcher;
  private readonly submitter: SubmitTasksHandler;
  private readonly claimer: ClaimTaskHandler;
  private readonly mover: MoveAttemptHandler;
  private readonly registrar: RegisterWorkerHandler;

  constructor(
    folder: string,
    /** Whether workers tell that their agent was started, which they need not. */
    private readonly tellsStart: boolean,
  ) {
    const clock = new Clock();
    const content = new ContentStore(join(folder, 'content'), limits.contentRecentCharactersMax);
    const redactor = new Redactor([]);
    this.log = SqliteLog.open(join(folder, 'events.db'));
    this.dispatcher = dispatcherOn(this.log);
    this.dispatcher.start();
    const { dispatcher } = this;
    const answers = new ClaimAnswers(dispatcher, content, new NoAllowances());
    this.submitter = new SubmitTasksHandler(dispatcher, content, redactor);
    this.claimer = new ClaimTaskHandler(dispatcher, answers);
    this.mover = new MoveAttemptHandler(dispatcher, answers, content, redactor, clock);
    this.registrar = new RegisterWorkerHandler(dispatcher);
  }

  async submit(prompt: string): Promise<void> {
    await this.submitMany([prompt]);
  }

  async submitMany(prompts: readonly string[]): Promise<void> {
    const tasks = prompts.map((prompt) => taskBody.parse({ prompt }));
    await this.submitter.execute(new SubmitTasks(tasks, 'operator:bench'));
  }

  async workOff(workers: number): Promise<WorkedOff> {
    return workOffBy(await this.workers(workers));
  }

  async waitForTasks(
    workers: number,
    onClaimed: (prompt: string) => void,
  ): Promise<() => Promise<void>> {
    return waitBy(await this.workers(workers), 1_000, ({ task }) => {
      onClaimed(task.prompt);
    });
  }

  async close(): Promise<void> {
    await this.dispatcher.stop();
    await this.log.close();
  }

  private workers(count: number): Promise<ClaimingWorker<Claimed>[]> {
    return Promise.all(Array.from({ length: count }, () => this.worker()));
  }

  private async worker(): Promise<ClaimingWorker<Claimed>> {
    const wanted = workerBody.parse({ shards: ['impl'] });
    const { workerId } = await this.registrar.execute(new RegisterWorker(wanted, operator));
    const caller = { workerId };
    const gone = new AbortController().signal;
    return {
      claim: (waitMs) => this.claimer.execute(new ClaimTask({ workerId, waitMs }, caller, gone)),
      complete: async ({ attemptId, fencingToken }, claimNext) => {
        const move = (body: MoveBody) =>
          this.mover.execute(new MoveAttempt(attemptId, body, caller));
        if (this.tellsStart) await move({ move: 'start', fencingToken });
        const { next } = await move({ move: 'complete', fencingToken, claimNext });
        return next ?? undefined;
      },
    };
  }
}

class NoAllowances extends Allowances {
  override of(): Allowance {
    return { remainingNanoUsd: null, nanoUsdPerMinute: null };
  }

  override pricesOf(): [] {
    return [];
  }
}

export function dispatcherOn(log: SqliteLog): Dispatcher {
  return new Dispatcher({
    log,
    clock: new Clock(),
    leaseMs: limits.leaseMs,
    budgets: () => [],
    report: (sentence) => {
      throw new Error(sentence);
    },
  });
}

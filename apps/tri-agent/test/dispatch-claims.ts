import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClaimAnswer, Moved } from '#libs/dispatch/attempts.shapes.js';
import { limits } from '#kernel/limits.js';
import { ServerProcess } from '#platform/server-process.js';
import { auditOf, dispatchEventsIn, eventsOf, type Audit } from './dispatch-audit.js';
import { DispatchClient, type Held, type WorkerClient } from './dispatch-client.js';
import { Chance } from './dispatch-workers.js';
import { freePort } from './support.js';

export interface ClaimsReport extends Audit {
  readonly tasks: number;
  readonly workers: number;
  readonly kills: number;
  readonly seconds: number;
  readonly tasksPerSecond: number;
  /** Claims and completes that were sent again although they had been answered. */
  readonly repeated: number;
  /** Claims and completes whose sender hung up before the answer, and asked again. */
  readonly hungUp: number;
  /** Repetitions that were answered with another attempt than the first time. */
  readonly otherAnswers: number;
  /** Completions that a worker was told of and the log does not have so. */
  readonly acknowledgedButLost: number;
}

export interface ClaimsWish {
  readonly tasks: number;
  readonly workers: number;
  /** How often the server is killed with SIGKILL and started again, spread over the run. */
  readonly kills: number;
  /** When hope is given up. */
  readonly deadlineMs: number;
  readonly progress: (sentence: string) => void;
}

const repeatEvery = 20;
const hangUpEvery = 50;
const claimWaitMs = 500;
/** Attempts that a worker holds at once. It may hold more, so that nothing but its ids stops a claim that comes twice. */
const hands = 4;
const slots = 3 * hands;
const promptsDistinct = 100;

/**
 * Workers race for every task of a queue over HTTP, each with a token of its own. Answers get lost:
 * some requests are sent again after the answer, some while the first is still on its way, and the
 * server is killed meanwhile. Then the file of the log is asked who had what.
 */
export async function survivesRaces(wish: ClaimsWish): Promise<ClaimsReport> {
  const home = mkdtempSync(join(tmpdir(), 'tri-agent-claims-'));
  const environment = { TRI_AGENT_HTTP_PORT: String(await freePort()) };
  const race = new Race(await ServerProcess.start({ home, environment }), environment, wish);
  try {
    await race.run();
  } finally {
    await race.server.stop();
  }
  try {
    return race.report(home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

class Race {
  private readonly completed = new Map<string, string>();
  private readonly startedAt = performance.now();
  private readonly chance = new Chance(1);
  private repeated = 0;
  private hungUp = 0;
  private otherAnswers = 0;
  private kills = 0;
  private milestone = 0;
  private readonly crash = Promise.withResolvers<never>();
  private killed: ServerProcess | undefined;

  constructor(
    public server: ServerProcess,
    private readonly environment: Record<string, string>,
    private readonly wish: ClaimsWish,
  ) {
    this.watch(server);
  }

  async run(): Promise<void> {
    const operator = DispatchClient.operatorOf(this.server);
    const coming = Array.from({ length: this.wish.workers }, () => operator.register({ slots }));
    const workers = await Promise.all(coming);
    const working = workers.flatMap((worker) =>
      Array.from({ length: hands }, () => this.work(worker)),
    );
    const all = Promise.all([this.submitAll(operator), this.killNowAndThen(), ...working]);
    await Promise.race([all, this.crash.promise]);
    this.killed = this.server;
  }

  report(home: string): ClaimsReport {
    const events = dispatchEventsIn(home);
    const told = new Map(
      eventsOf(events, 'AttemptCompleted').map(({ taskId, attemptId }) => [taskId, attemptId]),
    );
    const lost = [...this.completed].filter(
      ([taskId, attemptId]) => told.get(taskId) !== attemptId,
    );
    const seconds = (performance.now() - this.startedAt) / 1_000;
    const { repeated, hungUp, otherAnswers, kills } = this;
    const { tasks, workers } = this.wish;
    return {
      ...{ tasks, workers, kills, repeated, hungUp, otherAnswers },
      acknowledgedButLost: lost.length,
      seconds: Math.round(seconds),
      tasksPerSecond: Math.round(tasks / seconds),
      ...auditOf(events),
    };
  }

  private get isOver(): boolean {
    const isLate = performance.now() - this.startedAt > this.wish.deadlineMs;
    return isLate || this.completed.size >= this.wish.tasks;
  }

  /** Under keys, so that a batch whose answer was lost is the same tasks again. */
  private async submitAll(operator: DispatchClient): Promise<void> {
    for (let from = 0; from < this.wish.tasks; from += limits.tasksPerBatchMax) {
      const count = Math.min(limits.tasksPerBatchMax, this.wish.tasks - from);
      const tasks = Array.from({ length: count }, (_, index) => ({
        prompt: `Task of kind ${(from + index) % promptsDistinct}`,
        idempotencyKey: `task-${from + index}`,
      }));
      const { status, body } = await operator.insist('tasks/batch', { tasks });
      if (status !== 201) throw new Error(`A batch was refused: ${JSON.stringify(body)}`);
    }
  }

  private async killNowAndThen(): Promise<void> {
    const { tasks, kills, progress } = this.wish;
    for (let kill = 1; kill <= kills; kill += 1) {
      await this.untilCompleted((tasks * kill) / (kills + 1));
      if (this.isOver) return;
      const { home } = this.server;
      this.killed = this.server;
      await this.server.stop('SIGKILL');
      this.kills += 1;
      this.server = await ServerProcess.start({ home, environment: this.environment });
      this.watch(this.server);
      progress(`killed and started again with ${this.completed.size} tasks done`);
    }
  }

  /** A server that ends by itself ends the race, and says why. */
  private watch(server: ServerProcess): void {
    void server.ended().then(() => {
      if (this.killed !== server) this.crash.reject(new Error(`It ended:\n${server.printed}`));
    });
  }

  private untilCompleted(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = setInterval(() => {
        if (!this.isOver && this.completed.size < count) return;
        clearInterval(look);
        resolve();
      }, 5);
    });
  }

  private async work(worker: WorkerClient): Promise<void> {
    let held: Held | undefined;
    while (!this.isOver) {
      held ??= await this.claim(worker);
      if (held === undefined) continue;
      await worker.move(held, 'start');
      held = await this.complete(worker, held);
    }
  }

  private async claim(worker: WorkerClient): Promise<ClaimAnswer | undefined> {
    const { workerId } = worker;
    const body = { workerId, waitMs: claimWaitMs, attemptId: randomUUID() };
    const answer = await this.faulty<ClaimAnswer>(
      worker,
      'claims',
      body,
      ({ attemptId }) => attemptId,
    );
    return answer.status === 200 ? answer.body : undefined;
  }

  /** @returns what was claimed in the same request */
  private async complete(worker: WorkerClient, held: Held): Promise<Held | undefined> {
    const { attemptId, fencingToken, taskId } = held;
    const wanted = { result: 'Done.', claimNext: true, nextAttemptId: randomUUID() };
    const path = `attempts/${attemptId}/complete`;
    const body = { fencingToken, ...wanted };
    const answer = await this.faulty<Moved>(worker, path, body, ({ next }) => next?.attemptId);
    // A lease may have run out while the server was away.
    if (answer.status !== 200) return undefined;
    this.completed.set(taskId, attemptId);
    this.tell();
    return answer.body.next ?? undefined;
  }

  /** Sends it, and now and then again: after the answer, or without having waited for it. */
  private async faulty<Body>(
    worker: WorkerClient,
    path: string,
    body: object,
    attemptIn: (body: Body) => string | undefined,
  ): Promise<{ status: number; body: Body }> {
    if (this.chance.upTo(hangUpEvery) === 0) {
      this.hungUp += 1;
      await this.hangUp(worker, path, body);
    }
    const answer = await worker.insist<Body>(path, body);
    if (this.chance.upTo(repeatEvery) !== 0) return answer;
    this.repeated += 1;
    const again = await worker.insist<Body>(path, body);
    // Of nothing there may be something a moment later; of an attempt there is never another.
    const before = attemptIn(answer.body);
    if (before !== undefined && attemptIn(again.body) !== before) this.otherAnswers += 1;
    return again;
  }

  private async hangUp(worker: WorkerClient, path: string, body: object): Promise<void> {
    const hanging = new AbortController();
    const lost = worker.post(path, body, hanging.signal).catch(() => undefined);
    setTimeout(() => {
      hanging.abort();
    }, this.chance.upTo(5));
    await lost;
  }

  private tell(): void {
    const tenth = Math.floor((this.completed.size * 10) / this.wish.tasks);
    if (tenth <= this.milestone) return;
    this.milestone = tenth;
    const seconds = Math.round((performance.now() - this.startedAt) / 1_000);
    this.wish.progress(`${this.completed.size} tasks done after ${seconds} s`);
  }
}

/** Whether everything was done, once, under one token, and every answer held. */
export function isFlawless(report: ClaimsReport): boolean {
  const { tasks, submitted, completedOnce, otherAnswers, acknowledgedButLost } = report;
  const { completedTwice, claimedTwice, wrongTokens, backwards } = report;
  return (
    submitted === tasks &&
    completedOnce === tasks &&
    completedTwice.length + claimedTwice.length + wrongTokens.length === 0 &&
    otherAnswers + acknowledgedButLost + backwards === 0
  );
}

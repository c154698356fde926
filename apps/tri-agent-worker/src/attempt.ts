import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import { AgentProcess } from './agent-process.js';
import type { AgentRunner, Invocation, News, Outcome, RunOptions } from './agents/agent.js';
import { moved, outputTaken, type Claimed } from './claimed.js';
import { survivorsText } from './end-agent.js';
import { OutputSender } from './output-sender.js';
import type { Containment } from './containment/containment.js';
import type { RunningFiles } from './running-files.js';
import { Refused, type ServerClient } from './server-client.js';
import type { WorkPlaceRules } from './work-place/rules.js';
import { WorkPlaceError } from './work-place/work-place-error.js';
import { prepare, type WorkPlace } from './work-place/work-place.js';
import { workText } from './work-text.js';

export interface AttemptParts {
  readonly claim: Claimed;
  readonly runner: AgentRunner;
  readonly program: string;
  readonly client: ServerClient;
  readonly options: Omit<RunOptions, 'newSessionId'>;
  readonly rules: WorkPlaceRules;
  readonly files: RunningFiles;
  readonly containment: Containment;
  /** One line for whoever looks at the worker. */
  readonly say: (line: string) => void;
}

/** Why an agent was ended before it was done. */
type Stopped =
  /** The attempt is no longer this worker's. */
  | { readonly because: 'lost'; readonly reason: string }
  /** The worker goes, and gives it back. */
  | { readonly because: 'leaving'; readonly reason: string };

const badRequest = 400;

/** One task, from its claim to the server's word that its end is known. */
export class Attempt {
  private agent: AgentProcess | undefined;
  private stopped: Stopped | undefined;
  private toldAtMs = -Infinity;
  private toldPercent: number | undefined;
  private readonly over = new AbortController();
  private readonly output = new OutputSender(async (pieces) => {
    const taken = outputTaken.safeParse(await this.move('output', { pieces }));
    return taken.success && taken.data.hasRoom;
  });

  constructor(private readonly parts: AttemptParts) {}

  /** The server has given it to others, or ended it. */
  lose(reason: string): void {
    this.stop({ because: 'lost', reason });
  }

  /** The worker goes. */
  giveBack(reason: string): void {
    this.stop({ because: 'leaving', reason });
  }

  /**
   * @param wantsNext whether another task is to be claimed with the end of this one
   * @returns that task, where there is one
   */
  async run(wantsNext: () => boolean): Promise<Claimed | undefined> {
    const { claim, say } = this.parts;
    const beats = this.beat();
    try {
      const outcome = await this.work();
      await this.output.end();
      const { stopped } = this;
      if (stopped?.because === 'lost') {
        say(`${claim.taskId}: stopped. ${stopped.reason}`);
        return undefined;
      }
      // What was done just before the worker was told to go is not to be done again.
      if (stopped !== undefined && outcome.is !== 'completed') {
        say(`${claim.taskId}: given back. ${stopped.reason}`);
        await this.tell('release', { reason: stopped.reason });
        return undefined;
      }
      say(`${claim.taskId}: ${outcome.is === 'completed' ? 'completed' : outcome.error}`);
      return await this.report(outcome, wantsNext());
    } finally {
      this.over.abort();
      await beats;
      this.parts.files.remove(claim.attemptId);
    }
  }

  private stop(stopped: Stopped): void {
    this.stopped ??= stopped;
    void this.agent?.end();
  }

  /** Never throws: what goes wrong is an outcome. */
  private async work(): Promise<Outcome> {
    const { taskId, attemptId, task } = this.parts.claim;
    const { directory, repository, ref } = task;
    try {
      const order = { taskId, attemptId, directory, repository, ref };
      const place = await prepare(order, this.parts.rules);
      const outcome = await this.workIn(place.directory);
      await this.bringHome(place, outcome);
      return outcome;
    } catch (error) {
      const retryable = error instanceof WorkPlaceError ? error.retryable : true;
      return failed(messageOf(error), retryable);
    }
  }

  private async workIn(directory: string): Promise<Outcome> {
    const { claim, runner, options, program } = this.parts;
    const newSessionId = randomUUID();
    const task = { ...claim, ...claim.task, allowedTools: [], resumedSessionId: null };
    const invocation = runner.invocation(task, { ...options, newSessionId });
    if (invocation.is === 'refused') return failed(invocation.error, false);
    if (this.stopped !== undefined) return failed(this.stopped.reason, true);
    try {
      const agent = await this.start(program, invocation, directory);
      this.agent = agent;
      return await this.attend(agent);
    } catch (error) {
      return failed(`The agent could not be run: ${messageOf(error)}`, true);
    }
  }

  /** What the agent changed becomes a branch, however the attempt ended. */
  private async bringHome(place: WorkPlace, outcome: Outcome): Promise<void> {
    const ending = this.stopped !== undefined ? 'given-back' : outcome.is;
    const work = await place.finish(ending);
    this.output.add('diff', work.changes?.diff ?? '');
    const told = workText(work);
    for (const sentence of told) {
      this.output.add('progress', sentence);
      this.parts.say(`${this.parts.claim.taskId}: ${sentence}`);
    }
  }

  /** What is started is on disk before it runs: a worker that is killed in between finds it again. */
  private async start(
    program: string,
    invocation: Invocation,
    directory: string,
  ): Promise<AgentProcess> {
    const { claim, files, containment } = this.parts;
    const { attemptId, taskId, fencingToken } = claim;
    const enclosure = await containment.enclose({ attemptId, taskId, directory });
    const running = { attemptId, taskId, fencingToken, enclosure: enclosure.record };
    files.put(running);
    const agent = await AgentProcess.start(program, invocation, directory, enclosure);
    if (agent.identity !== undefined) files.put({ ...running, identity: agent.identity });
    return agent;
  }

  private async attend(agent: AgentProcess): Promise<Outcome> {
    const { claim, runner } = this.parts;
    const { taskId } = claim;
    // It may have been lost while the agent was being started.
    if (this.stopped !== undefined) void agent.end();
    void this.tell('start', {});
    const reader = runner.reader(false);
    try {
      for await (const { text, isCut } of agent.lines()) {
        const news = reader.line(text, isCut);
        for (const it of news) this.hear(it);
      }
      return reader.end(await agent.ended());
    } finally {
      // Whatever it left running is of this attempt, and ends with it.
      const { survivors, isVerified } = await agent.end();
      if (!isVerified) this.parts.say(`${taskId}: ${survivorsText(survivors)}`);
    }
  }

  private hear(news: News): void {
    if (news.is === 'text') this.output.add('text', news.text);
    else if (news.is === 'progress') this.output.add('progress', news.what);
    else if (news.is === 'retry') this.output.add('progress', retryText(news));
    if (news.is === 'session') {
      void this.tell('progress', { sessionId: news.sessionId });
      return;
    }
    const percent = news.is === 'progress' ? news.percent : undefined;
    const isNews = percent !== undefined && percent !== this.toldPercent;
    const nowMs = performance.now();
    if (!isNews && nowMs - this.toldAtMs < limits.progressToldMs) return;
    this.toldAtMs = nowMs;
    this.toldPercent = percent ?? this.toldPercent;
    void this.tell('progress', percent === undefined ? {} : { percent: Math.round(percent) });
  }

  private async report(outcome: Outcome, claimNext: boolean): Promise<Claimed | undefined> {
    // Named here, so that a repeated report brings the same task.
    const nextAttemptId = randomUUID();
    const next = { claimNext, ...(claimNext && { nextAttemptId }) };
    const answer =
      outcome.is === 'completed'
        ? await this.insist('complete', {
            result: outcome.result.toWellFormed().slice(0, limits.resultCharactersMax),
            ...next,
          })
        : await this.insist('fail', {
            error: outcome.error.toWellFormed().slice(0, limits.noteCharactersMax),
            retryable: outcome.retryable,
            ...(outcome.statusCode !== undefined && { statusCode: outcome.statusCode }),
            ...(outcome.retryAfterMs !== undefined && { retryAfterMs: outcome.retryAfterMs }),
            ...next,
          });
    const { success, data } = moved.safeParse(answer);
    return (success ? data.next : null) ?? undefined;
  }

  /** Until the server has heard it: how an attempt ended is not to be lost because nobody answers. */
  private async insist(move: string, body: object): Promise<unknown> {
    let waitMs: number = limits.reconnectFirstWaitMs;
    for (;;) {
      try {
        return await this.move(move, body);
      } catch (error) {
        if (error instanceof Refused) {
          this.parts.say(`${this.parts.claim.taskId}: ${error.message}`);
          return undefined;
        }
        if (this.stopped !== undefined) return undefined;
      }
      await wait(waitMs);
      waitMs = Math.min(waitMs * 2, limits.reconnectWaitMs);
    }
  }

  /** Once: what is not heard now is of no use later. A word that is not understood costs no attempt. */
  private async tell(move: string, body: object): Promise<void> {
    await this.move(move, body).catch((error: unknown) => {
      if (error instanceof Refused && error.status !== badRequest) this.lose(error.message);
    });
  }

  private async beat(): Promise<void> {
    const { beatEveryMs } = this.parts.claim;
    const { signal } = this.over;
    while (!signal.aborted) {
      await wait(beatEveryMs, undefined, { signal }).catch(() => undefined);
      // Not heard by an aborted wait alone: the attempt may end at any await.
      if (!(signal as { readonly aborted: boolean }).aborted) await this.tell('beat', {});
    }
  }

  private move(move: string, body: object): Promise<unknown> {
    const { client, claim } = this.parts;
    const { attemptId, fencingToken } = claim;
    const path = `attempts/${encodeURIComponent(attemptId)}/${move}`;
    return client.post(path, { fencingToken, ...body });
  }
}

function failed(error: string, retryable: boolean): Outcome {
  return { is: 'failed', error, retryable, sessionId: null };
}

function retryText({ statusCode, retryAfterMs }: Extract<News, { is: 'retry' }>): string {
  const status = statusCode === null ? '' : ` (${statusCode})`;
  const when = retryAfterMs === null ? '' : ` in ${Math.ceil(retryAfterMs / 1_000)} s`;
  return `Its provider refused${status}; it tries again${when}.`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

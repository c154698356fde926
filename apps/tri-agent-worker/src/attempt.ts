import { randomUUID } from 'node:crypto';
import { limits } from '#kernel/limits.js';
import { AgentProcess } from './agent-process.js';
import type { AgentRunner, Invocation, News, Outcome, RunOptions } from './agents/agent.js';
import { outputTaken, type Claimed, type HaltOrder } from './claimed.js';
import { CutOffWatch } from './cut-off-watch.js';
import { survivorsText, type AgentEnd } from './end-agent.js';
import { haltReport } from './halt-report.js';
import { OutputSender } from './output-sender.js';
import type { Containment } from './containment/containment.js';
import { failed, gone, messageOf } from './outcomes.js';
import type { RunningFiles } from './running-files.js';
import type { ServerClient } from './server-client.js';
import type { Allowance, CutOff } from './spend-guard.policy.js';
import { Telling } from './telling.js';
import type { WorkPlaceRules } from './work-place/rules.js';
import { WorkPlaceError } from './work-place/work-place-error.js';
import { prepare, reopen, type WorkPlace } from './work-place/work-place.js';
import { retryText, workText } from './work-text.js';

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

/** Why an agent was ended before it was done, and will not be carried on. */
type Stopped =
  /** The attempt is no longer this worker's. */
  | { readonly because: 'lost'; readonly reason: string }
  /** The worker goes, and gives it back. */
  | { readonly because: 'leaving'; readonly reason: string };

/** What an agent is told instead of its task, which it knows from its conversation. */
const carryOn =
  'You were interrupted, and are resumed now. Carry on with your task where you stopped.';

/** One task, from its claim to the server's word that its end is known. */
export class Attempt {
  private agent: AgentProcess | undefined;
  private stopped: Stopped | undefined;
  private halting: HaltOrder | undefined;
  private cutOff: CutOff | undefined;
  private patience: NodeJS.Timeout | undefined;
  private ended: AgentEnd | undefined;
  private toldAtMs = -Infinity;
  private toldPercent: number | undefined;
  private readonly over = new AbortController();
  private readonly telling: Telling;
  private readonly watch: CutOffWatch;
  private readonly output = new OutputSender(async (pieces) => {
    const taken = outputTaken.safeParse(await this.telling.move('output', { pieces }));
    return taken.success && taken.data.hasRoom;
  });

  constructor(private readonly parts: AttemptParts) {
    const { claim, client, say } = parts;
    const hearing = {
      lost: (reason: string) => {
        this.lose(reason);
      },
      halt: (order: HaltOrder) => {
        this.halt(order);
      },
      heard: (toldAtMs: number, allowance: Allowance | null) => {
        this.watch.heard(toldAtMs, allowance);
      },
    };
    this.watch = new CutOffWatch(claim, (cutOff) => {
      this.cutOff = cutOff;
      this.halt({ how: 'kill', reason: cutOff.reason });
    });
    this.telling = new Telling(claim, client, hearing, say);
  }

  /** The attempt in whose work place this one works. */
  get placeId(): string {
    const { resume, attemptId } = this.parts.claim;
    return resume?.attemptId ?? attemptId;
  }

  /** Whether its agent was ended because the server was not heard of: others may have its task. */
  get wasCutOff(): boolean {
    return this.cutOff !== undefined;
  }

  /** The server has given it to others, or ended it. */
  lose(reason: string): void {
    this.stop({ because: 'lost', reason });
  }

  /** The worker goes. */
  giveBack(reason: string): void {
    this.stop({ because: 'leaving', reason });
  }

  /**
   * Its agent is to end so that it can be carried on: at the next pause in its work, for which it has a
   * little time, or at once.
   */
  halt(order: HaltOrder): void {
    const before = this.halting?.how;
    if (before === 'kill' || before === order.how) return;
    this.halting = order;
    clearTimeout(this.patience);
    const end = (): void => void this.agent?.end(order.graceMs);
    if (order.how === 'kill') end();
    else this.patience = setTimeout(end, limits.pausePatienceMs);
  }

  /**
   * @param wantsNext whether another task is to be claimed with the end of this one
   * @returns that task, where there is one
   */
  async run(wantsNext: () => boolean): Promise<Claimed | undefined> {
    const beats = this.telling.beat(this.over.signal);
    try {
      const outcome = await this.work();
      this.watch.stop();
      await this.output.end();
      return await this.conclude(outcome, wantsNext);
    } finally {
      clearTimeout(this.patience);
      this.over.abort();
      await beats;
      this.parts.files.remove(this.parts.claim.attemptId);
    }
  }

  private async conclude(outcome: Outcome, wantsNext: () => boolean): Promise<Claimed | undefined> {
    const { stopped, halting, telling } = this;
    const { taskId } = this.parts.claim;
    const say = (line: string): void => {
      this.parts.say(`${taskId}: ${line}`);
    };
    const isGivenUp = (): boolean => this.stopped !== undefined;
    if (stopped?.because === 'lost') {
      say(`stopped. ${stopped.reason}`);
      return undefined;
    }
    if (outcome.is === 'completed') {
      // What was done just before it was to be ended is not to be done again.
      say('completed');
      return telling.report(outcome, wantsNext(), isGivenUp);
    }
    if (stopped !== undefined) {
      say(`given back. ${stopped.reason}`);
      await telling.tell('release', { reason: stopped.reason });
      return undefined;
    }
    if (halting !== undefined) {
      say(`halted. ${halting.reason}`.trim());
      await telling.insist('halted', this.halted(outcome.sessionId), isGivenUp);
      return undefined;
    }
    say(outcome.error);
    if (outcome.isConversationGone !== true) {
      return telling.report(outcome, wantsNext(), isGivenUp);
    }
    // Given back it begins anew, and that costs it no attempt.
    await telling.insist('release', { reason: outcome.error }, isGivenUp);
    return undefined;
  }

  private halted(sessionId: string | null): object {
    const { ended, cutOff } = this;
    const pid = this.agent?.identity?.pid ?? process.pid;
    return haltReport({ sessionId, ended, pid, cutOff });
  }

  private stop(stopped: Stopped): void {
    this.stopped ??= stopped;
    void this.agent?.end();
  }

  /** Never throws: what goes wrong is an outcome. */
  private async work(): Promise<Outcome> {
    try {
      const place = await this.place();
      if (place === undefined) return gone('The work place of its conversation is gone.');
      const outcome = await this.workIn(place.directory);
      await this.bringHome(place, outcome);
      return outcome;
    } catch (error) {
      const retryable = error instanceof WorkPlaceError ? error.retryable : true;
      return failed(messageOf(error), retryable);
    }
  }

  private place(): Promise<WorkPlace | undefined> {
    const { claim, rules } = this.parts;
    const { taskId, attemptId, task, resume } = claim;
    const { directory, repository, ref } = task;
    if (resume !== null && directory === null) return reopen(resume.attemptId, rules);
    return prepare({ taskId, attemptId, directory, repository, ref }, rules);
  }

  private async workIn(directory: string): Promise<Outcome> {
    const { claim, runner, options, program } = this.parts;
    const { task, resume } = claim;
    const newSessionId = randomUUID();
    const begins = { prompt: task.prompt, resumedSessionId: null };
    const goesOn = resume && { prompt: carryOn, resumedSessionId: resume.sessionId };
    const wanted = { ...claim, ...task, ...(goesOn ?? begins) };
    const invocation = runner.invocation(wanted, { ...options, newSessionId });
    if (invocation.is === 'refused') return failed(invocation.error, false);
    const ending = this.stopped ?? this.halting;
    if (ending !== undefined) return failed(ending.reason, true);
    try {
      const agent = await this.start(program, invocation, directory);
      this.agent = agent;
      return await this.attend(agent);
    } catch (error) {
      return failed(`The agent could not be run: ${messageOf(error)}`, true);
    }
  }

  /** What the agent changed becomes a branch, however the attempt ended, unless it is to be carried on there. */
  private async bringHome(place: WorkPlace, outcome: Outcome): Promise<void> {
    if (this.halting !== undefined && outcome.is !== 'completed') return;
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
    // It may have been lost, or killed, while the agent was being started.
    if (this.stopped !== undefined || this.halting?.how === 'kill')
      void agent.end(this.halting?.graceMs);
    void this.telling.tell('start', {});
    const reader = runner.reader(claim.resume !== null);
    try {
      for await (const { text, isCut } of agent.lines()) {
        for (const it of reader.line(text, isCut)) this.hear(it);
        if (this.halting !== undefined && reader.isAtPause) void agent.end();
      }
      return reader.end(await agent.ended());
    } finally {
      // Whatever it left running is of this attempt, and ends with it.
      this.ended = await agent.end();
      const { survivors, isVerified } = this.ended;
      if (!isVerified) this.parts.say(`${taskId}: ${survivorsText(survivors)}`);
    }
  }

  private hear(news: News): void {
    const { telling } = this;
    if (news.is === 'usage') {
      this.watch.used(news.usage);
      return;
    }
    if (news.is === 'text') this.output.add('text', news.text);
    else if (news.is === 'progress') this.output.add('progress', news.what);
    else if (news.is === 'retry') this.output.add('progress', retryText(news));
    if (news.is === 'session') {
      void telling.tell('progress', { sessionId: news.sessionId });
      return;
    }
    const percent = news.is === 'progress' ? news.percent : undefined;
    const isNews = percent !== undefined && percent !== this.toldPercent;
    const nowMs = performance.now();
    if (!isNews && nowMs - this.toldAtMs < limits.progressToldMs) return;
    this.toldAtMs = nowMs;
    this.toldPercent = percent ?? this.toldPercent;
    void telling.tell('progress', percent === undefined ? {} : { percent: Math.round(percent) });
  }
}

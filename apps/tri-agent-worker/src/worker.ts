import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { limits } from '#kernel/limits.js';
import type { AgentRunner, RunOptions } from './agents/agent.js';
import { Attempt } from './attempt.js';
import { claimed, registered, taskShown, type Claimed } from './claimed.js';
import { enclosureOf, type Containment } from './containment/containment.js';
import { listenToControl } from './control.js';
import { endAgent, survivorsText } from './end-agent.js';
import { RunningFiles } from './running-files.js';
import { Refused, type ServerClient } from './server-client.js';
import { prune } from './work-place/prune.js';
import type { WorkPlaceRules } from './work-place/rules.js';
import { workText } from './work-text.js';
import { WorkerIdentity } from './worker-identity.js';

/** An agent that this host has. */
export interface FoundAgent {
  readonly runner: AgentRunner;
  readonly program: string;
  /** What it says its version is; null = it does not say. */
  readonly version: string | null;
}

export interface WorkerOptions {
  /** For people; also the name of its folder. */
  readonly name: string;
  /** What it keeps on disk. */
  readonly folder: string;
  readonly shards: readonly string[];
  readonly slots: number;
  readonly agents: readonly FoundAgent[];
  readonly roots: readonly string[];
  readonly containment: Containment;
  /** Asks as the operator: to register. */
  readonly operator: ServerClient;
  readonly run: Omit<RunOptions, 'newSessionId'>;
  readonly say: (line: string) => void;
}

type PlaceOf = Pick<Claimed, 'taskId' | 'attemptId'>;

/** Takes tasks from the server and has agents work on them, until it is told to stop. */
export class Worker {
  private readonly files: RunningFiles;
  private readonly identity: WorkerIdentity;
  private readonly rules: WorkPlaceRules;
  private readonly attempts = new Map<string, Attempt>();
  private readonly stopping = new AbortController();
  private client: ServerClient;
  private workerId = '';
  private registering: Promise<void> | undefined;
  private tidying: Promise<void> = Promise.resolve();

  constructor(private readonly options: WorkerOptions) {
    this.client = options.operator;
    this.files = new RunningFiles(join(options.folder, 'running'));
    this.identity = new WorkerIdentity(join(options.folder, 'worker-id'));
    this.rules = {
      roots: options.roots,
      folder: join(options.folder, 'work'),
      keptMs: limits.workPlaceKeptMs,
      keptMax: limits.workPlacesKeptMax,
    };
  }

  /** Resolves when it was stopped, nothing of it runs, and the server knows. */
  async run(): Promise<void> {
    const { signal } = this.stopping;
    await this.register();
    if (this.workerId === '') return;
    await this.endWhatWasLeft();
    await this.tidyUp();
    const tidying = setInterval(() => void this.tidyUp(), limits.workPlaceTidyMs);
    const slots = Array.from({ length: this.options.slots }, () => this.fillSlot());
    const control = listenToControl(
      () => this.client,
      () => this.workerId,
      {
        running: () => [...this.attempts.keys()],
        lost: (attemptIds) => {
          for (const it of attemptIds)
            this.attempts.get(it)?.lose('It was given to another worker.');
        },
        stop: (attemptId, reason) => this.attempts.get(attemptId)?.lose(reason),
        halt: (attemptId, order) => this.attempts.get(attemptId)?.halt(order),
        dismissed: (reason) => {
          this.options.say(`dismissed. ${reason}`.trim());
          this.stop(reason);
        },
        // Whoever claims meets the refusal, too, and ends with it.
        unknown: () => void this.register().catch(() => undefined),
      },
      signal,
    );
    await Promise.all([...slots, control]);
    clearInterval(tidying);
    const reason = 'The worker was stopped.';
    await this.client.post(`workers/${this.workerId}/leave`, { reason }).catch(() => undefined);
    this.identity.forget();
  }

  /** What runs is ended and given back. */
  stop(reason: string): void {
    this.stopping.abort();
    for (const attempt of this.attempts.values()) attempt.giveBack(reason);
  }

  private register(): Promise<void> {
    this.registering ??= this.registerUntilHeard().finally(() => {
      this.registering = undefined;
    });
    return this.registering;
  }

  private async registerUntilHeard(): Promise<void> {
    const { operator, shards, slots, agents, name, containment, say } = this.options;
    const abilities = {
      host: `${hostname()}/${name}`.slice(0, limits.identifierCharactersMax),
      shards,
      slots,
      agents: agents.map(({ runner, version }) => ({ name: runner.id, version })),
      containment: containment.kind === 'none' ? null : containment.kind,
    };
    const { signal } = this.stopping;
    let said = '';
    for (let waitMs: number = limits.reconnectFirstWaitMs; !signal.aborted;) {
      try {
        const known = this.identity.read();
        const wanted = { ...abilities, ...(known !== undefined && { workerId: known }) };
        const { workerId, token } = registered.parse(await operator.post('workers', wanted));
        this.identity.keep(workerId);
        this.workerId = workerId;
        this.client = operator.as(token);
        say(`registered as ${workerId}`);
        return;
      } catch (error) {
        if (error instanceof Refused) {
          // The server has forgotten it, or it left: then it is another one from now on.
          if (error.code !== 'WORKER_NOT_FOUND') throw error;
          this.identity.forget();
          continue;
        }
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== said) say(`${reason} Trying again.`);
        said = reason;
      }
      await wait(waitMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, limits.reconnectWaitMs);
    }
  }

  /** A worker before this one was killed: its agents end, and their tasks go back at once. */
  private async endWhatWasLeft(): Promise<void> {
    for (const { attemptId, taskId, fencingToken, identity, enclosure } of this.files.left()) {
      const { survivors, isVerified } = await endAgent({
        ...{ attemptId, identity },
        enclosure: enclosureOf(enclosure, identity?.pid),
      });
      const reason = 'Its worker was killed.';
      const path = `attempts/${encodeURIComponent(attemptId)}/release`;
      await this.client.post(path, { fencingToken, reason }).catch(() => undefined);
      this.files.remove(attemptId);
      this.options.say(`${taskId}: the agent of a worker that was killed has been ended.`);
      if (!isVerified) this.options.say(`${taskId}: ${survivorsText(survivors)}`);
    }
  }

  /** One after the other: two at once would save the same work. */
  private tidyUp(): Promise<void> {
    this.tidying = this.tidying.then(() => this.tidyUpOnce());
    return this.tidying;
  }

  /** Work places of attempts that are over, or were cut off, are saved and removed. */
  private async tidyUpOnce(): Promise<void> {
    const { say } = this.options;
    try {
      const running = new Set([...this.attempts.values()].map(({ placeId }) => placeId));
      const isCarriedOn = this.isCarriedOn.bind(this);
      const { recovered, faults } = await prune(this.rules, running, isCarriedOn);
      for (const { taskId, result } of recovered) {
        for (const sentence of workText(result)) say(`${taskId}: ${sentence}`);
      }
      for (const fault of faults) say(fault);
    } catch (error) {
      say(
        `Work places were not tidied up: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** Where the server does not say, the place stays: it is asked again. */
  private async isCarriedOn({ taskId, attemptId }: PlaceOf): Promise<boolean> {
    try {
      const path = `tasks/${encodeURIComponent(taskId)}`;
      const { conversation } = taskShown.parse(await this.options.operator.get(path));
      return conversation?.attemptId === attemptId;
    } catch (error) {
      return !(error instanceof Refused && error.code === 'TASK_NOT_FOUND');
    }
  }

  private async fillSlot(): Promise<void> {
    const { signal } = this.stopping;
    let next: Claimed | undefined;
    let waitMs: number = limits.reconnectFirstWaitMs;
    while (!signal.aborted) {
      try {
        next ??= await this.claim();
        waitMs = limits.reconnectFirstWaitMs;
      } catch (error) {
        if (error instanceof Refused) await this.register();
        await wait(waitMs, undefined, { signal }).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, limits.reconnectWaitMs);
        continue;
      }
      if (next !== undefined) next = await this.runAttempt(next);
    }
    if (next !== undefined) await this.giveBack(next);
  }

  private async claim(): Promise<Claimed | undefined> {
    const wish = { workerId: this.workerId, waitMs: limits.claimWaitMs, attemptId: randomUUID() };
    const answer = await this.client.post('claims', wish, {
      waitMs: limits.claimWaitMs + limits.requestWaitMs,
      signal: this.stopping.signal,
    });
    return answer === undefined ? undefined : claimed.parse(answer);
  }

  private async runAttempt(claim: Claimed): Promise<Claimed | undefined> {
    const { agents, containment, run, say } = this.options;
    const found = agents.find(({ runner }) => runner.id === claim.task.agent);
    if (found === undefined || this.stopping.signal.aborted) {
      await this.giveBack(claim);
      return undefined;
    }
    const { client, files, rules } = this;
    const parts = { client, rules, files, containment, say };
    const attempt = new Attempt({ claim, ...found, options: run, ...parts });
    this.attempts.set(claim.attemptId, attempt);
    say(`${claim.taskId}: ${found.runner.title}, attempt ${claim.task.attempt}`);
    try {
      return await attempt.run(() => !this.stopping.signal.aborted);
    } finally {
      this.attempts.delete(claim.attemptId);
      // Only the server knows whether it is to be carried on here, or is with others by now.
      if (attempt.wasCutOff) await this.tidyUp();
    }
  }

  private async giveBack({ attemptId, fencingToken }: Claimed): Promise<void> {
    const path = `attempts/${encodeURIComponent(attemptId)}/release`;
    const reason = 'The worker goes.';
    await this.client.post(path, { fencingToken, reason }).catch(() => undefined);
  }
}

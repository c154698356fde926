import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { EventLog } from '#eventstore/src/log.js';
import { KILLS_STREAM, type KillTarget } from '#eventstore/vocabulary/kills.events.js';
import { limits } from '#kernel/limits.js';
import type { Clock } from '#platform/clock.js';
import { Decisions } from '#platform/decisions.js';
import { MarkedProcesses, markOfProcess } from '#platform/process-mark.js';
import { endTrees, type EndedProcess } from '#platform/process-trees.js';
import { keyOf, killsDecider, type Kill, type KillEvent, type Kills } from './kills.decider.js';
import type { KillCommand } from './kills.decider.js';
import type { AttemptEnd, WorkControl } from './ports.js';

export interface KillSwitchParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly work: WorkControl;
  /** Is told what nobody else hears. */
  readonly report: (sentence: string) => void;
}

export interface KillWish {
  readonly targets: readonly KillTarget[];
  readonly reason: string;
  /** Null: an operator's. */
  readonly budgetId: string | null;
  readonly actor: string;
}

interface Order {
  readonly killId: string;
  /** By the monotonic clock; null = it was ordered before this server was started. */
  readonly sinceMs: number | null;
}

/**
 * Ends agents at once and sees that they have ended: what a worker runs through that worker, what a
 * person began on this host by its process. An order is in the log before anything is signalled, so
 * that a server which is killed meanwhile goes on with it when it comes back.
 */
export class KillSwitch {
  readonly host = hostname();
  private readonly decisions: Decisions<KillCommand, Kills, KillEvent>;
  private readonly attempts = new Map<string, Order>();
  private readonly underWay = new Set<Promise<void>>();
  private stopListening: () => void = () => undefined;
  private readonly stopping = new AbortController();

  constructor(private readonly parts: KillSwitchParts) {
    this.decisions = new Decisions(parts.log, KILLS_STREAM, killsDecider);
  }

  /** Goes on with what was ordered and is not known to be done. */
  async start(): Promise<void> {
    this.stopListening = this.parts.work.listenToEnds((end) => {
      this.attemptEnded(end);
    });
    const kills = await this.decisions.catchUp();
    const open = [...kills.values()].filter(({ outcome }) => outcome.is === 'open');
    for (const kill of open) this.carryOut({ killId: kill.killId, sinceMs: null }, kill);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.stopListening();
    // Their orders stay open: they are carried on at the next start.
    this.attempts.clear();
    await Promise.all(this.underWay);
  }

  /** The newest last. */
  async kills(): Promise<readonly Kill[]> {
    return [...(await this.decisions.catchUp()).values()];
  }

  /** What is known without asking the log again. */
  get known(): Kills {
    return this.decisions.state;
  }

  /**
   * Resolves when the orders are durable and on their way; whether it was done is told later.
   *
   * @returns the kills that were ordered, or are under way already, of these targets
   * @throws {Refusal | LogError}
   */
  async order({ targets, reason, budgetId, actor }: KillWish): Promise<readonly Kill[]> {
    const kills = targets.map((target) => ({ killId: randomUUID(), target }));
    const { events, state } = await this.decide({ type: 'order', kills, reason, budgetId }, actor);
    for (const { type, data } of events) {
      const kill = type === 'KillOrdered' ? state.get(data.killId) : undefined;
      if (kill !== undefined) {
        this.carryOut({ killId: kill.killId, sinceMs: performance.now() }, kill);
      }
    }
    const wanted = new Set(targets.map(keyOf));
    const newest = new Map([...state.values()].map((kill) => [keyOf(kill.target), kill]));
    return [...newest].filter(([key]) => wanted.has(key)).map(([, kill]) => kill);
  }

  private carryOut(order: Order, kill: Kill): void {
    const { target } = kill;
    const work =
      target.kind === 'attempt'
        ? this.endAttempt(kill, target.taskId, target.attemptId, order)
        : this.endSession(target, order);
    const noted = work
      .catch((error: unknown) => this.fail(order, [], `It could not be ended: ${String(error)}`))
      .catch((error: unknown) => {
        this.parts.report(
          `What became of kill ${order.killId} could not be kept: ${String(error)}`,
        );
      })
      .finally(() => this.underWay.delete(noted));
    this.underWay.add(noted);
  }

  /** Its worker ends it and tells; who falls silent is told of as well. */
  private async endAttempt(kill: Kill, taskId: string, attemptId: string, order: Order) {
    const { work } = this.parts;
    const { reason, budgetId } = kill;
    this.attempts.set(attemptId, order);
    const holder = budgetId === null ? null : `budget:${budgetId}`;
    const actor = budgetId === null ? 'operator:api' : `policy:${holder ?? ''}`;
    await work.halt({ target: { taskId }, how: 'kill', reason, holder }, actor);
    if (!work.running().some((it) => it.attemptId === attemptId)) {
      // It had ended before the order could reach it: by itself, or before this server was started.
      const [end] = await work.endsOf(new Set([attemptId]));
      this.attemptEnded(end ?? { attemptId, ended: 0, survivors: [] });
    }
    setTimeout(() => {
      const reason = `Its worker has not said within ${limits.killToldMs / 1000} seconds that it has ended.`;
      if (this.attempts.has(attemptId)) void this.fail(order, [], reason).catch(() => undefined);
    }, limits.killToldMs).unref();
  }

  private attemptEnded({ attemptId, ended, survivors }: AttemptEnd): void {
    const order = this.attempts.get(attemptId);
    if (order === undefined) return;
    this.attempts.delete(attemptId);
    const told =
      survivors === null
        ? this.fail(order, [], 'Its worker fell silent: nobody has seen whether its agent ended.')
        : survivors.length > 0
          ? this.fail(order, survivors, 'Some of its processes did not end.')
          : this.confirm(order, ended);
    const noted = told
      .catch((error: unknown) => {
        this.parts.report(
          `What became of kill ${order.killId} could not be kept: ${String(error)}`,
        );
      })
      .finally(() => this.underWay.delete(noted));
    this.underWay.add(noted);
  }

  private async endSession(target: KillTarget & { kind: 'session' }, order: Order): Promise<void> {
    if (target.host !== this.host) {
      const reason = `It runs on ${target.host}, and this server ends processes of ${this.host} only.`;
      return this.fail(order, [], reason);
    }
    const { pid, startMark } = target;
    const { signal } = this.stopping;
    // What it has started since its hooks told of it bears its mark, wherever it has got to.
    const enclosure = new MarkedProcesses(markOfProcess({ pid, startMark }));
    const ended = await endTrees(
      { processes: [{ pid, startMark }] },
      { signal, enclosure, graceMs: graceOf(order) },
    );
    // Whoever stops the server leaves the order open: it is carried out at the next start.
    if (signal.aborted) return;
    const survivors = ended.filter(({ ending }) => ending !== 'ended' && ending !== 'killed');
    if (survivors.length === 0) return this.confirm(order, ended.length);
    return this.fail(order, survivors.map(named), sentenceOn(survivors));
  }

  private async confirm({ killId, sinceMs }: Order, ended: number): Promise<void> {
    const durationMs = sinceMs === null ? null : Math.round(performance.now() - sinceMs);
    await this.decide({ type: 'confirm', killId, ended, durationMs }, 'policy:kill-switch');
  }

  private async fail(
    { killId }: Order,
    survivors: readonly { pid: number; name: string }[],
    reason: string,
  ): Promise<void> {
    const command = { type: 'fail', killId, survivors, reason } as const;
    await this.decide(command, 'policy:kill-switch');
  }

  private decide(command: KillCommand, actor: string) {
    const occurredAt = new Date(this.parts.clock.now()).toISOString();
    return this.decisions.decide(command, { commandId: null, actor, source: 'api', occurredAt });
  }
}

/** Ordered before this server was started: its grace has been going by since. */
function graceOf({ sinceMs }: Order): number {
  return sinceMs === null ? limits.lateKillGraceMs : limits.processGraceMs;
}

function named({
  process: {
    pid,
    arguments: [name = ''],
  },
}: EndedProcess) {
  return { pid, name: name.slice(0, limits.freeTextCharactersMax) };
}

const why = {
  remains: 'did not end',
  'not-allowed': 'is of another user',
  protected: 'is the server, or above it',
} as const;

function sentenceOn(survivors: readonly EndedProcess[]): string {
  const told = survivors
    .slice(0, limits.survivorsToldMax)
    .map(({ process: { pid }, ending }) => `Process ${pid} ${why[ending as keyof typeof why]}.`);
  return told.join(' ').slice(0, limits.freeTextCharactersMax);
}

import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { isRefusal } from '#kernel/refusal.js';
import { refusalIn } from '#libs/dispatch/attempts.decider.js';
import type { Claim, ClaimWish, DispatchCommand, Seat, TaskSpec } from '#libs/dispatch/commands.js';
import { dispatchDecider } from '#libs/dispatch/dispatch.decider.js';
import {
  emptyState,
  isEnded,
  type DispatchEvent,
  type DispatchState,
  type RunningAttempt,
} from '#libs/dispatch/dispatch-state.js';
import { fromSnapshot, toSnapshot } from '#libs/dispatch/dispatch-snapshot.js';
import { Signs } from '#libs/dispatch/signs.js';
import { fingerprint, isAtRest, Oracle } from './dispatch-oracle.js';
import { indexFaults } from './dispatch-indexes.js';
import { agents, cent, lanes, scriptedTask, shards } from './dispatch-tasks.js';
import { LateSpend } from './dispatch-spend.js';
import { Chance, ScriptedWorker, type World } from './dispatch-workers.js';

/** A night of dispatch in a moment: everything that can go wrong does, by a seed that repeats it. */

export interface Night {
  readonly seed: number;
  /** Promises broken, each a sentence; empty when all held. */
  readonly faults: readonly string[];
  readonly events: readonly DispatchEvent[];
  readonly refusals: number;
  readonly virtualMs: number;
}

const providers = { 'claude-code': 'anthropic', codex: 'openai', gemini: 'google' } as const;
const holders = ['budget:day', 'budget:team'] as const;
const stormyMs = 20 * 60_000;
const calmMsMax = 4 * 60 * 60_000;

/** @param steps after how many of them the state is put away and taken up again as a snapshot. */
export function simulate(seed: number, steps = Infinity): Night {
  return new Simulation(seed, steps).run();
}

class Simulation implements World {
  readonly chance: Chance;
  nowMs = 0;
  isCalm = false;
  private state: DispatchState;
  private signs = new Signs();
  private readonly events: DispatchEvent[] = [];
  private readonly oracle = new Oracle();
  private readonly workers: ScriptedWorker[] = [];
  private readonly faults: string[] = [];
  private readonly money: LateSpend;
  private claims = 0;
  private ids = 0;
  private steps = 0;
  private refusals = 0;
  private readonly leaseMs: number;

  constructor(
    private readonly seed: number,
    private readonly snapshotSteps: number,
  ) {
    this.chance = new Chance(seed);
    this.state = this.initial();
    // Now and then another one than a server has of itself.
    this.leaseMs = seed % 4 === 0 ? 2 * limits.leaseMs : limits.leaseMs;
    const limit = (cents: number, more: number) => (cents + this.chance.upTo(more)) * cent;
    this.money = new LateSpend([
      { scope: 'all', limitNanoUsd: limit(100, 400), spentNanoUsd: 0, shut: null },
      { scope: 'team:core', limitNanoUsd: limit(20, 100), spentNanoUsd: 0, shut: null },
    ]);
  }

  run(): Night {
    this.open();
    while (this.nowMs < stormyMs) this.step();
    this.calmDown();
    while (!isAtRest(this.state) && this.nowMs < stormyMs + calmMsMax) this.step();
    if (!isAtRest(this.state)) this.faults.push(`${this.state.openTasks} tasks never ended.`);
    this.compareWithReplay();
    const { seed, events, refusals, nowMs: virtualMs } = this;
    return { seed, faults: [...this.faults, ...this.oracle.faults], events, refusals, virtualMs };
  }

  newId(kind: string): string {
    return `${kind}-${(this.ids += 1)}`;
  }

  wish(): ClaimWish {
    const attemptId = this.newId('attempt');
    return { attemptId, budgets: this.money.known, leaseMs: this.leaseMs };
  }

  attempt(attemptId: string): RunningAttempt | undefined {
    return this.state.running.get(attemptId);
  }

  beat(attemptId: string, isProgress: boolean): void {
    if (isProgress) this.signs.progress(attemptId, this.nowMs);
    else this.signs.beat(attemptId, this.nowMs);
  }

  claim(command: Claim): readonly DispatchEvent[] | undefined {
    const wanted = this.decide(command);
    const [first] = wanted ?? [];
    const chosen = first?.type === 'TaskClaimed' ? first.data.taskId : undefined;
    this.claims += 1;
    // Looking at every task takes long: now and then is enough.
    if (wanted !== undefined && this.claims % 10 === 0) {
      this.oracle.choice(this.state, command, chosen);
      this.faults.push(...indexFaults(this.state));
    }
    return this.take(wanted);
  }

  send(command: DispatchCommand): readonly DispatchEvent[] | undefined {
    return this.take(this.decide(command));
  }

  private decide(command: DispatchCommand): readonly DispatchEvent[] | undefined {
    try {
      return dispatchDecider.decide(command, this.state);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.refusals += 1;
      return undefined;
    }
  }

  private take(events: readonly DispatchEvent[] | undefined): readonly DispatchEvent[] | undefined {
    for (const event of events ?? []) {
      const fault = faultOf({ ...event, id: '', metadata: nobody });
      if (fault !== undefined) this.faults.push(fault);
      if ('durationMs' in event.data) this.spend(event.data.attemptId);
      this.state = dispatchDecider.evolve(this.state, event);
      this.events.push(event);
      this.oracle.see(event, this.money.true);
    }
    if (events === undefined || refusalIn(events) === undefined) return events;
    this.refusals += 1;
    return undefined;
  }

  private spend(attemptId: string): void {
    const attempt = this.state.running.get(attemptId);
    if (attempt !== undefined) this.money.spend(attempt, this.chance, this.nowMs);
  }

  private open(): void {
    const { chance } = this;
    const count = 2 + chance.upTo(5);
    for (let index = 0; index < count; index += 1) this.register(index);
    for (const scope of ['agent:codex', 'account:shared', 'shard:review', 'team:web']) {
      const limit = 1 + chance.upTo(3);
      if (chance.isBelow(0.5)) this.send({ type: 'limit-wip', scope, limit, nowMs: this.nowMs });
    }
  }

  private register(index: number): void {
    const { chance, nowMs } = this;
    const workerId = this.newId('worker');
    // The first one has a seat for everything, so that every task can end.
    const names = index === 0 ? agents : agents.filter(() => chance.isBelow(0.5));
    const seats = (names.length === 0 ? [chance.of(agents)] : names).map((agent): Seat => {
      const account = chance.of(['shared', workerId]);
      return { agent, provider: providers[agent], account, models: [] };
    });
    const own = shards.filter(() => chance.isBelow(0.4));
    // Two of them share a host, so that one may carry on what the other began.
    const told = { tokenHash: 'hash', agents: [], containment: null };
    const facts = { host: `host-${index >> 1}`, ...told, slots: 1 + chance.upTo(3), seats };
    const worker = { workerId, ...facts, shards: own.length === 0 ? [chance.of(shards)] : own };
    this.send({ type: 'register-worker', worker, nowMs });
    this.workers.push(new ScriptedWorker(workerId));
  }

  private step(): void {
    const { chance } = this;
    this.steps += 1;
    if (this.steps % this.snapshotSteps === 0) {
      this.state = fromSnapshot(JSON.parse(JSON.stringify(toSnapshot(this.state))))!;
    }
    this.nowMs += chance.upTo(4_000);
    this.money.receive(this.nowMs);
    if (!this.isCalm) {
      if (chance.isBelow(0.08)) this.submit();
      if (chance.isBelow(0.06)) this.operate();
      if (chance.isBelow(0.004)) this.restart();
    }
    for (const worker of this.workers) worker.step(this);
    this.send({ type: 'tick', signs: this.signs.all, nowMs: this.nowMs });
    this.signs.prune(this.state);
  }

  private submit(): void {
    const tasks: TaskSpec[] = [];
    const count = 1 + this.chance.upTo(4);
    for (let index = 0; index < count; index += 1) {
      // Also what is forgotten by now: nothing may depend on that.
      const others = [...this.oracle.specs.keys(), ...tasks.map((it) => it.taskId)];
      tasks.push(scriptedTask(this.newId('task'), others, this.chance));
    }
    this.send({ type: 'submit', tasks, nowMs: this.nowMs });
    if (this.chance.isBelow(0.1)) this.send({ type: 'submit', tasks, nowMs: this.nowMs });
  }

  private operate(): void {
    const { chance, nowMs } = this;
    const reason = 'scripted';
    const taskId = chance.of([...this.oracle.specs.keys(), 'task-0']);
    const scope = chance.of(['all', 'lane:normal', 'shard:impl', 'team:core', 'agent:gemini']);
    const worker = `worker:${chance.of(this.workers).workerId}`;
    const late = this.lateResult();
    const hint = { cause: 'overload', retryAfterMs: 20_000, random: chance.next() } as const;
    const account = { provider: 'openai', account: 'shared', model: null };
    const how = chance.of(['pause', 'pause', 'kill'] as const);
    const holder = chance.of([null, ...holders]);
    const live = this.liveTask();
    const command = chance.of<DispatchCommand>([
      { type: 'halt', target: { taskId: live }, how, reason, holder, nowMs },
      { type: 'halt', target: { scope }, how, reason, holder, nowMs },
      { type: 'lift', holder: chance.of(holders), reason, nowMs },
      { type: 'resume-task', taskId: live, reason, nowMs },
      { type: 'retry', taskId: live, nowMs },
      { type: chance.of(['cancel', 'park'] as const), taskId, reason, nowMs },
      { type: chance.of(['retry', 'replay'] as const), taskId, nowMs },
      { type: 'reprioritise', taskId, lane: chance.of(lanes), nowMs },
      { type: 'adopt-late-result', ...late, nowMs },
      { type: chance.of(['pause', 'drain'] as const), scope, reason, nowMs },
      { type: 'drain', scope: worker, reason, nowMs },
      { type: 'resume', scope: chance.of([scope, worker]), reason, nowMs },
      { type: chance.of(['trip', 'reset', 'reset'] as const), scope, reason, nowMs },
      { type: 'cool-down', ...account, hint, nowMs },
    ]);
    this.send(command);
  }

  /** One that has not ended, where there is one: what has is seldom of use. */
  private liveTask(): string {
    const live = [...this.state.tasks.values()].filter(({ status }) => !isEnded(status));
    return live.length === 0 ? 'task-0' : this.chance.of(live).spec.taskId;
  }

  /** One that some task has, whether or not it may be adopted; else one that never was. */
  private lateResult(): { taskId: string; attemptId: string } {
    const all = [...this.state.tasks.values()].flatMap(({ spec, lateResults, status }) =>
      status.is === 'completed' && this.chance.isBelow(0.9)
        ? []
        : lateResults.map(({ attemptId }) => ({ taskId: spec.taskId, attemptId })),
    );
    return all.length === 0 ? { taskId: 'task-0', attemptId: 'attempt-0' } : this.chance.of(all);
  }

  /** All that was in memory alone is gone. */
  private restart(): void {
    this.compareWithReplay();
    this.signs = new Signs();
    this.send({ type: 'after-restart', nowMs: this.nowMs });
  }

  /** In some nights nearly everything that ended is forgotten at once. */
  private initial(): DispatchState {
    return emptyState(this.seed % 3 === 0 ? this.seed % 10 : undefined);
  }

  private compareWithReplay(): void {
    const before = fingerprint(this.state);
    this.state = this.events.reduce(
      (state, event) => dispatchDecider.evolve(state, event),
      this.initial(),
    );
    if (fingerprint(this.state) !== before) this.faults.push('A replay came to another state.');
    this.faults.push(...indexFaults(this.state));
  }

  /** Morning: an operator opens what is shut, and looks at the dead letters; budgets begin anew. */
  private calmDown(): void {
    this.isCalm = true;
    const { nowMs } = this;
    const reason = 'morning';
    for (const scope of [...this.state.closed.keys()]) {
      this.send({ type: 'resume', scope, reason, nowMs });
    }
    for (const scope of [...this.state.tripped.keys()]) {
      this.send({ type: 'reset', scope, reason, nowMs });
    }
    for (const { spec, status } of [...this.state.tasks.values()]) {
      const isWanted = status.is === 'parked' && this.chance.isBelow(0.5);
      if (isWanted) this.send({ type: 'replay', taskId: spec.taskId, nowMs });
    }
    for (const holder of holders) this.send({ type: 'lift', holder, reason, nowMs });
    for (const taskId of [...this.state.tasks.keys()]) {
      this.send({ type: 'resume-task', taskId, reason, nowMs });
    }
    this.money.raise(1e6 * cent);
  }
}

const nobody = { actor: 'test', source: 'test', occurredAt: '2026-11-20T10:00:00.000Z' };

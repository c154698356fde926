import type { Conversation } from '#eventstore/vocabulary/dispatch.events.js';
import { kindOfTask, seatsFor } from '#libs/dispatch/claims.decider.js';
import type { BudgetReading, Claim, TaskSpec } from '#libs/dispatch/commands.js';
import { isEnded, type DispatchEvent, type DispatchState } from '#libs/dispatch/dispatch-state.js';
import { closedGates, isUnder } from '#libs/dispatch/gates.decider.js';

/** How much later a lane's turn is. */
const behindMinutes = { critical: 0, normal: 15, background: 60 };

type CoolDownStarted = Extract<DispatchEvent, { type: 'CoolDownStarted' }>['data'];
type TaskClaimed = Extract<DispatchEvent, { type: 'TaskClaimed' }>['data'];
type TaskPaused = Extract<DispatchEvent, { type: 'TaskPaused' }>['data'];
type WorkerRegistered = Extract<DispatchEvent, { type: 'WorkerRegistered' }>['data'];

/**
 * What must hold of the events of dispatch, kept beside it in the plainest way: no index, no state of
 * the decider but where it says so. Every sentence in `faults` is a promise broken.
 */
export class Oracle {
  readonly faults: string[] = [];
  readonly specs = new Map<string, TaskSpec>();
  private readonly running = new Map<string, TaskClaimed>();
  /** Tasks that run and are to be halted, and those that are paused with their conversations. */
  private readonly orders = new Set<string>();
  private readonly conversations = new Map<string, Conversation>();
  private readonly pausedTasks = new Set<string>();
  /** What has just lost its attempt although that was to be halted: it has to be paused next. */
  private mustPause: string | undefined;
  private readonly hosts = new Map<string, string>();
  private readonly results = new Map<string, number>();
  private readonly shut = new Map<string, Set<string>>([
    ['closed', new Set()],
    ['tripped', new Set()],
  ]);
  private readonly limits = new Map<string, number>();
  private readonly slots = new Map<string, number>();
  private readonly coolDowns = new Map<string, CoolDownStarted>();
  private lastToken = 0;
  private lastMs = 0;

  see(event: DispatchEvent, budgets: readonly BudgetReading[]): void {
    const { type, data } = event;
    if (this.mustPause !== undefined && type !== 'TaskPaused') {
      this.fault(`${this.mustPause} was to be halted, and ${type} came after its end.`);
    }
    this.mustPause = undefined;
    if (data.atMs < this.lastMs) this.fault(`${type} runs back in time.`);
    this.lastMs = data.atMs;
    if (type === 'TaskSubmitted') this.specs.set(data.taskId, data);
    else if (type === 'TaskClaimed') this.claimed(data, budgets);
    else if (type === 'WorkerRegistered') this.registered(data);
    else if ('durationMs' in data) this.ended(event.type, data);
    else if (type === 'LateResultAdopted') this.result(data.taskId);
    else if (type === 'TaskCancelled' || type === 'TaskParked') this.left(data.taskId);
    else if (type === 'AttemptHaltOrdered') this.orders.add(data.taskId);
    else if (type === 'TaskPaused') this.paused(data);
    else if (type === 'TaskResumed' || type === 'TaskRetried') this.resumed(type, data.taskId);
    else this.gate(event);
  }

  reservedNanoUsd(scope: string): number {
    return [...this.running.values()]
      .filter((it) => this.scopes(it).has(scope))
      .reduce((sum, it) => sum + it.reservedNanoUsd, 0);
  }

  /** That the claim is the one which looking at every task would choose. Gates are the decider's own. */
  choice(
    state: DispatchState,
    { workerId, nowMs, budgets }: Claim,
    chosen: string | undefined,
  ): void {
    const worker = state.workers.get(workerId);
    if (worker === undefined) return;
    const isFull = (state.wip.get(`worker:${workerId}`) ?? 0) >= worker.slots;
    const possible = [...state.tasks.values()].filter((task) => {
      const { status } = task;
      const isDue = status.is === 'delayed' && status.notBeforeMs <= nowMs;
      if (isFull || (status.is !== 'ready' && !isDue)) return false;
      const kind = kindOfTask(task);
      return seatsFor(kind, worker).some(
        (seat) => closedGates(state, kind, seat, workerId, { nowMs, budgets }).next().done,
      );
    });
    const [first] = possible
      .map((task) => {
        const isHome = worker.shards.includes(task.spec.shard);
        const behindMs = behindMinutes[task.lane] * 60_000 + (isHome ? 0 : 60_000);
        const turnMs = (task.readySinceMs ?? 0) + behindMs;
        return { taskId: task.spec.taskId, turnMs, order: task.order };
      })
      .sort((a, b) => a.turnMs - b.turnMs || a.order - b.order);
    if (first?.taskId !== chosen) {
      this.fault(`${workerId} got ${chosen ?? 'nothing'}, not ${first?.taskId ?? 'nothing'}.`);
    }
  }

  private claimed(data: TaskClaimed, budgets: readonly BudgetReading[]): void {
    const { taskId, fencingToken } = data;
    const spec = this.specs.get(taskId);
    if (this.running.has(taskId)) this.fault(`${taskId} runs twice.`);
    this.carriedOn(data);
    if (this.results.has(taskId)) this.fault(`${taskId} runs again after its result.`);
    if (fencingToken <= this.lastToken) this.fault(`Token ${fencingToken} is not new.`);
    this.lastToken = fencingToken;
    for (const other of spec?.dependsOn ?? []) {
      if (!this.results.has(other)) this.fault(`${taskId} was claimed before ${other} was done.`);
    }
    this.running.set(taskId, data);
    const scopes = this.scopes(data);
    for (const [kind, shut] of this.shut) {
      for (const scope of scopes) {
        if (shut.has(scope)) this.fault(`${taskId} was claimed although ${scope} is ${kind}.`);
      }
    }
    for (const coolDown of this.coolDowns.values()) {
      if (isUnder(coolDown, data, data.model) && data.atMs < coolDown.untilMs) {
        this.fault(
          `${taskId} was claimed ${coolDown.untilMs - data.atMs} ms before its cool-down ended.`,
        );
      }
    }
    this.counts(scopes, data, budgets);
  }

  private registered({ workerId, slots, host }: WorkerRegistered): void {
    this.slots.set(workerId, slots);
    this.hosts.set(workerId, host);
  }

  /** A conversation is carried on where it is, by the agent that has it, and once. */
  private carriedOn({ taskId, workerId, agent }: TaskClaimed): void {
    if (this.pausedTasks.has(taskId)) this.fault(`${taskId} was claimed while it was paused.`);
    const conversation = this.conversations.get(taskId);
    this.conversations.delete(taskId);
    if (conversation === undefined) return;
    const isThere = conversation.host === this.hosts.get(workerId) && conversation.agent === agent;
    if (!isThere) this.fault(`${taskId} was carried on by ${agent} of ${workerId}.`);
  }

  private paused({ taskId, conversation }: TaskPaused): void {
    if (this.running.has(taskId)) this.fault(`${taskId} is paused and runs.`);
    this.orders.delete(taskId);
    this.pausedTasks.add(taskId);
    if (conversation !== null) this.conversations.set(taskId, conversation);
  }

  private resumed(type: DispatchEvent['type'], taskId: string): void {
    this.orders.delete(taskId);
    this.pausedTasks.delete(taskId);
    if (type === 'TaskRetried') this.conversations.delete(taskId);
  }

  /** Cancelled, or among the dead letters. */
  private left(taskId: string): void {
    this.running.delete(taskId);
    this.orders.delete(taskId);
    this.pausedTasks.delete(taskId);
    this.conversations.delete(taskId);
  }

  private counts(
    scopes: ReadonlySet<string>,
    { workerId }: TaskClaimed,
    budgets: readonly BudgetReading[],
  ): void {
    const count = (scope: string) =>
      [...this.running.values()].filter((it) => this.scopes(it).has(scope)).length;
    for (const [scope, limit] of this.limits) {
      if (scopes.has(scope) && count(scope) > limit) this.fault(`${scope} is above ${limit}.`);
    }
    if (count(`worker:${workerId}`) > (this.slots.get(workerId) ?? 0)) {
      this.fault(`${workerId} has more attempts than slots.`);
    }
    for (const { scope, limitNanoUsd, spentNanoUsd, shut } of budgets) {
      if (!scopes.has(scope)) continue;
      if (shut !== null) this.fault(`${scope} is shut: ${shut}.`);
      const reserved = this.reservedNanoUsd(scope);
      if (limitNanoUsd !== null && spentNanoUsd + reserved > limitNanoUsd) {
        this.fault(`${scope}: ${spentNanoUsd} spent and ${reserved} reserved of ${limitNanoUsd}.`);
      }
    }
  }

  private ended(type: string, data: { readonly taskId: string; readonly attemptId: string }): void {
    const { taskId, attemptId } = data;
    if (this.running.get(taskId)?.attemptId !== attemptId) {
      this.fault(`${type} of ${attemptId}, which does not have ${taskId}.`);
    }
    this.running.delete(taskId);
    const isHalted = type === 'AttemptHalted' || this.orders.has(taskId);
    if (type === 'AttemptCompleted') this.result(taskId);
    else if (isHalted) this.mustPause = taskId;
    this.orders.delete(taskId);
  }

  private result(taskId: string): void {
    if (this.results.has(taskId)) this.fault(`${taskId} has a second result.`);
    this.results.set(taskId, 1);
    this.left(taskId);
  }

  private gate({ type, data }: DispatchEvent): void {
    if (type === 'ClaimsPaused' || type === 'DrainStarted')
      this.shut.get('closed')!.add(data.scope);
    if (type === 'ClaimsResumed') this.shut.get('closed')!.delete(data.scope);
    if (type === 'ScopeTripped') this.shut.get('tripped')!.add(data.scope);
    if (type === 'ScopeReset') this.shut.get('tripped')!.delete(data.scope);
    if (type === 'TaskReprioritised') {
      this.specs.set(data.taskId, { ...this.specs.get(data.taskId)!, lane: data.lane });
    }
    if (type === 'WipLimitSet' && data.limit !== null) this.limits.set(data.scope, data.limit);
    if (type === 'WipLimitSet' && data.limit === null) this.limits.delete(data.scope);
    if (type === 'CoolDownStarted') {
      const key = [data.provider, data.account, data.model].join();
      const before = this.coolDowns.get(key)?.untilMs ?? 0;
      if (data.untilMs < before && before > data.atMs) this.fault(`${key} was cut short.`);
      this.coolDowns.set(key, data);
    }
  }

  private scopes({ taskId, workerId, agent, account }: TaskClaimed): ReadonlySet<string> {
    const spec = this.specs.get(taskId);
    const named = { ...spec, worker: workerId, agent, account };
    const kinds = [
      'lane',
      'shard',
      'worker',
      'agent',
      'account',
      'model',
      'team',
      'project',
    ] as const;
    return new Set(['all', ...kinds.map((kind) => `${kind}:${named[kind] ?? ''}`)]);
  }

  private fault(sentence: string): void {
    this.faults.push(`At ${this.lastMs} ms: ${sentence}`);
  }
}

/** What is left waits for a task in the dead letters: that is a person's to decide. */
export function isAtRest({ tasks }: DispatchState): boolean {
  const isStuck = (taskId: string): boolean => {
    const status = tasks.get(taskId)!.status;
    if (status.is === 'parked') return true;
    return status.is === 'waiting' && status.missing.some(isStuck);
  };
  return [...tasks.values()].every(({ spec, status }) => {
    return isEnded(status) || isStuck(spec.taskId);
  });
}

/** The whole state as text that is the same for the same state. */
export function fingerprint(state: DispatchState): string {
  const { ready, ...plain } = state;
  const heads = [...ready.heads(state.clockMs)].map(({ kind, head }) =>
    JSON.stringify([head, kind]),
  );
  return JSON.stringify([plain, ready.length, heads.sort()], (_, value: unknown) =>
    value instanceof Map || value instanceof Set ? [...(value as Iterable<unknown>)] : value,
  );
}

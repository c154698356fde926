import { limits } from '#kernel/limits.js';
import { Refusal } from '#kernel/refusal.js';
import type { BudgetReading, CoolDown, GateCommand, Seat } from './commands.js';
import type {
  CoolingDown,
  DispatchEvent,
  DispatchState,
  RunningAttempt,
} from './dispatch-state.js';
import type { TaskKind } from './ready-queue.js';

/** What keeps tasks from being claimed: pauses, trips, cool-downs, limits of work in progress, budgets. */

export type CoolDownStarted = Extract<DispatchEvent, { type: 'CoolDownStarted' }>;

/** Why a task of this kind may not be claimed on this seat. */
export type ClosedBy =
  | {
      readonly gate: 'paused' | 'draining' | 'tripped';
      readonly scope: string;
      readonly reason: string;
    }
  | {
      readonly gate: 'wip-limit';
      readonly scope: string;
      readonly running: number;
      readonly limit: number;
    }
  | {
      readonly gate: 'cooling-down' | 'waking-up';
      readonly provider: string;
      readonly account: string;
      readonly model: string | null;
      readonly untilMs: number;
    }
  | {
      readonly gate: 'budget-shut';
      readonly scope: string;
      readonly reason: string;
    }
  | {
      readonly gate: 'budget';
      readonly scope: string;
      readonly limitNanoUsd: number;
      readonly spentNanoUsd: number;
      readonly reservedNanoUsd: number;
      readonly wantedNanoUsd: number;
    };

/** What the events just decided, but not yet in the state, change for a claim. */
export interface JustDecided {
  readonly freed?: RunningAttempt;
  readonly coolDown?: CoolDownStarted['data'];
}

export interface GateView extends JustDecided {
  readonly nowMs: number;
  readonly budgets: readonly BudgetReading[];
}

/** Everything that a claim of this kind of task on this seat counts against, and is gated by. */
export function scopesOf(kind: TaskKind, seat: Seat, workerId: string): string[] {
  const { lane, shard, model, team, project } = kind;
  const always = ['all', `lane:${lane}`, `shard:${shard}`, `worker:${workerId}`];
  const scopes = [...always, `agent:${seat.agent}`, `account:${seat.account}`];
  if (model !== null) scopes.push(`model:${model}`);
  if (team !== null) scopes.push(`team:${team}`);
  if (project !== null) scopes.push(`project:${project}`);
  return scopes;
}

/** Every gate that is closed, the most telling first; lazily, so that a claim stops at one. */
export function* closedGates(
  state: DispatchState,
  kind: TaskKind,
  seat: Seat,
  workerId: string,
  view: GateView,
): Generator<ClosedBy> {
  const scopes = scopesOf(kind, seat, workerId);
  for (const scope of scopes) {
    const closed = state.closed.get(scope);
    if (closed !== undefined) yield { gate: closed.mode, scope, reason: closed.reason };
    const tripped = state.tripped.get(scope);
    if (tripped !== undefined) yield { gate: 'tripped', scope, reason: tripped.reason };
  }
  yield* coolDowns(state, kind, seat, view);
  for (const scope of scopes) {
    const limit = state.wipLimits.get(scope);
    if (limit === undefined) continue;
    const running = (state.wip.get(scope) ?? 0) - (view.freed?.scopes.includes(scope) ? 1 : 0);
    if (running >= limit) yield { gate: 'wip-limit', scope, running, limit };
  }
  yield* budgets(state, kind, scopes, view);
}

function* budgets(
  state: DispatchState,
  kind: TaskKind,
  scopes: readonly string[],
  view: GateView,
): Generator<ClosedBy> {
  for (const { scope, limitNanoUsd, spentNanoUsd, shut } of view.budgets) {
    if (!scopes.includes(scope)) continue;
    if (shut !== null) {
      yield { gate: 'budget-shut', scope, reason: shut };
      continue;
    }
    if (limitNanoUsd === null) continue;
    // What an attempt that ends in the same breath had reserved is yet to be settled.
    const settling = state.settling.filter((it) => it.untilMs > view.nowMs);
    const reservedNanoUsd = settling.reduce(
      (sum, it) => sum + (it.nanoUsdByScope.get(scope) ?? 0),
      state.reservedNanoUsd.get(scope) ?? 0,
    );
    const wantedNanoUsd = kind.reserveNanoUsd;
    const taken = spentNanoUsd + reservedNanoUsd;
    // Who reserves nothing may still not begin when nothing is left.
    if (taken + wantedNanoUsd <= limitNanoUsd && taken < limitNanoUsd) continue;
    yield { gate: 'budget', scope, limitNanoUsd, spentNanoUsd, reservedNanoUsd, wantedNanoUsd };
  }
}

function* coolDowns(
  state: DispatchState,
  kind: TaskKind,
  seat: Seat,
  view: GateView,
): Generator<ClosedBy> {
  const just = view.coolDown;
  if (just !== undefined && isUnder(just, seat, kind.model)) {
    const { provider, account, model, untilMs } = just;
    yield { gate: 'cooling-down', provider, account, model, untilMs };
  }
  for (const coolDown of state.coolingDown.values()) {
    if (!isUnder(coolDown, seat, kind.model)) continue;
    const { provider, account, model, untilMs } = coolDown;
    const where = { provider, account, model, untilMs };
    if (view.nowMs < untilMs) yield { gate: 'cooling-down', ...where };
    else if (coolDown.claims >= claimsAllowed(state, coolDown, view.nowMs)) {
      yield { gate: 'waking-up', ...where };
    }
  }
}

/** A task that leaves the model to its agent may come to any model of the account. */
export function isUnder(
  coolDown: Pick<CoolingDown, 'provider' | 'account' | 'model'>,
  seat: Pick<Seat, 'provider' | 'account'>,
  model: string | null,
): boolean {
  if (coolDown.provider !== seat.provider || coolDown.account !== seat.account) return false;
  return coolDown.model === null || model === null || coolDown.model === model;
}

/** After a cool-down one probe goes first; when it goes well, the others follow one by one. */
function claimsAllowed(state: DispatchState, coolDown: CoolingDown, nowMs: number): number {
  const sinceMs = nowMs - provenSince(state, coolDown);
  return sinceMs < 0 ? 1 : 2 + Math.floor(sinceMs / limits.coolDownStaggerMs);
}

/** From when its probe counts as one that goes well: it completed, or was let run for long enough. */
function provenSince(
  { running }: DispatchState,
  { probeAttemptId, provenMs }: CoolingDown,
): number {
  if (provenMs !== null) return provenMs;
  const probe = running.get(probeAttemptId ?? '');
  return probe === undefined ? Infinity : probe.claimedAtMs + limits.coolDownProofMs;
}

/** Over when everybody had time to come back, and nobody was refused. */
export function endedCoolDowns(state: DispatchState, nowMs: number): DispatchEvent[] {
  return [...state.coolingDown.values()]
    .filter((it) => {
      const openSinceMs = it.claims === 0 ? it.untilMs : provenSince(state, it);
      return nowMs >= openSinceMs + limits.coolDownRampMs;
    })
    .map(({ provider, account, model }) => ({
      type: 'CoolDownEnded',
      data: { provider, account, model, atMs: nowMs },
    }));
}

export function coolDownKey(of: Pick<CoolingDown, 'provider' | 'account' | 'model'>): string {
  return JSON.stringify([of.provider, of.account, of.model]);
}

/**
 * The provider is left alone until it said, and by chance a little longer, so that not everybody comes
 * back at once. What comes in while it is left alone already is of the same storm: it can make the
 * wait longer, never shorter.
 */
export function coolDown(
  state: DispatchState,
  { provider, account, model, hint, nowMs }: Omit<CoolDown, 'type'>,
): CoolDownStarted | undefined {
  const where = { provider, account, model };
  const before = state.coolingDown.get(coolDownKey(where));
  const isClosed = before !== undefined && before.untilMs > nowMs;
  const level = before === undefined ? 0 : isClosed ? before.level : before.level + 1;
  const capped = Math.min(level, limits.coolDownLevelsMax);
  const growingMs = limits.coolDownFirstMs * 2 ** capped;
  const toldMs = hint.retryAfterMs ?? Math.min(growingMs, limits.coolDownUntoldMsMax);
  const earliestMs = nowMs + Math.min(toldMs, limits.coolDownMsMax);
  if (isClosed && earliestMs <= before.untilMs) return undefined;
  const jitterMs = Math.floor(hint.random * Math.min(growingMs, limits.coolDownJitterMsMax));
  const data = { ...where, cause: hint.cause, level: capped, untilMs: earliestMs + jitterMs };
  return { type: 'CoolDownStarted', data: { ...data, atMs: nowMs } };
}

/** Too many failures in a row, without a word on how long to wait. */
export function breaker(
  state: DispatchState,
  attempt: RunningAttempt,
  nowMs: number,
): CoolDownStarted | undefined {
  const { provider, account, model } = attempt;
  const key = coolDownKey(attempt);
  const failures = (state.providerFailures.get(key) ?? 0) + 1;
  const before = state.coolingDown.get(key);
  const isProbe = before?.probeAttemptId === attempt.attemptId;
  if (failures < limits.breakerFailuresMax && !isProbe) return undefined;
  const untilMs = nowMs + limits.breakerOpenMs;
  if (before !== undefined && before.untilMs >= untilMs) return undefined;
  const level = before?.level ?? 0;
  const data = { provider, account, model, cause: 'breaker', level, untilMs, atMs: nowMs } as const;
  return { type: 'CoolDownStarted', data };
}

/** What an operator, a budget or telemetry wants of a gate. What is so already is no event. */
export function decideGate(command: GateCommand, state: DispatchState): DispatchEvent[] {
  if (command.type === 'cool-down') {
    const started = coolDown(state, command);
    return started === undefined ? [] : [started];
  }
  const { scope, nowMs: atMs } = command;
  if (command.type === 'limit-wip') {
    const { limit } = command;
    if ((state.wipLimits.get(scope) ?? null) === limit) return [];
    refuseTooMany(state.wipLimits, scope);
    return [{ type: 'WipLimitSet', data: { scope, limit, atMs } }];
  }
  const data = { scope, reason: command.reason, atMs };
  const mode = state.closed.get(scope)?.mode;
  if (command.type === 'pause' || command.type === 'drain') refuseTooMany(state.closed, scope);
  switch (command.type) {
    case 'pause':
      return mode === 'paused' ? [] : [{ type: 'ClaimsPaused', data }];
    case 'drain':
      return mode === 'draining' ? [] : [{ type: 'DrainStarted', data }];
    case 'resume':
      return mode === undefined ? [] : [{ type: 'ClaimsResumed', data }];
    case 'trip':
      return state.tripped.has(scope) ? [] : [{ type: 'ScopeTripped', data }];
    case 'reset':
      return state.tripped.has(scope) ? [{ type: 'ScopeReset', data }] : [];
  }
}

/** None goes away by itself. A trip is never refused: it is how budgets hold. */
function refuseTooMany(gates: ReadonlyMap<string, unknown>, scope: string): void {
  if (gates.has(scope) || gates.size < limits.scopesMax) return;
  const message = `${limits.scopesMax} scopes have such a gate already, and no more are taken. Take off those that are not needed.`;
  throw new Refusal('TOO_MANY_SCOPES', message, { scopesMax: limits.scopesMax });
}

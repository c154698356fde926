import { limits } from '#kernel/limits.js';
import type { AttemptMove } from './commands.js';
import type {
  DispatchEvent,
  EndedAttempt,
  OwnState,
  RunningAttempt,
  Task,
  TaskStatus,
} from './dispatch-state.js';
import { kindOfTask } from './claims.decider.js';
import { evolveHalt } from './evolve-halts.decider.js';
import { evolveGate } from './evolve-gates.decider.js';
import { add, change, put, queued, rememberAttempt } from './evolve-tasks.decider.js';
import { coolDownKey, isUnder, scopesOf } from './gates.decider.js';
import { openHalt } from './halts.decider.js';

/** What each event makes of the state. Changes it in place: see `DispatchState`. */

type DataOfType<T extends DispatchEvent['type']> = Extract<DispatchEvent, { type: T }>['data'];

export function evolve(state: OwnState, event: DispatchEvent): OwnState {
  state.clockMs = Math.max(state.clockMs, event.data.atMs);
  evolveTask(state, event);
  evolveHalt(state, event);
  evolveGate(state, event);
  return state;
}

function evolveTask(state: OwnState, event: DispatchEvent): void {
  switch (event.type) {
    case 'TaskSubmitted':
      submitted(state, event.data);
      break;
    case 'TaskClaimed':
      claimed(state, event.data);
      break;
    case 'AttemptStarted':
    case 'ProgressReported':
      report(state, event.data, 'percent' in event.data ? event.data.percent : null);
      break;
    case 'AttemptCompleted':
      end(state, event.data.attemptId, 'completed', event.data.resultHash);
      completed(state, event.data, event.data.resultHash);
      break;
    case 'LateResultAdopted':
      adopted(state, event.data);
      break;
    case 'AttemptReleased':
      end(state, event.data.attemptId, 'lost');
      putBack(state, event.data);
      break;
    case 'AttemptHalted':
      end(state, event.data.attemptId, 'halted');
      break;
    case 'AttemptFailed':
      countProviderFailure(state, event.data);
      lost(state, event.data, event.data.cause === 'cool-down' ? 0 : 1);
      break;
    case 'LeaseExpired':
    case 'ProgressDeadlineMissed':
      lost(state, event.data, 1);
      break;
    case 'TaskCancelled':
    case 'TaskParked': {
      const is = event.type === 'TaskCancelled' ? 'cancelled' : 'parked';
      leave(state, event.data.taskId, { is, reason: event.data.reason });
      break;
    }
    case 'TaskRetried':
      queueAnew(state, event.data, { conversation: null });
      break;
    case 'TaskReplayed':
      queueAnew(state, event.data, { spentAttempts: 0, readySinceMs: null });
      break;
    case 'TaskReprioritised':
      change(state, event.data.taskId, { lane: event.data.lane });
      break;
    case 'LateResultKept':
      keepLateResult(state, event.data);
      break;
    case 'StaleTokenRefused':
      refused(state, event.data);
      break;
    default:
      break;
  }
}

function submitted(state: OwnState, { atMs, ...spec }: DataOfType<'TaskSubmitted'>): void {
  const { taskId, idempotencyKey, lane } = spec;
  if (idempotencyKey !== null) state.taskByKey.set(idempotencyKey, taskId);
  const order = (state.lastOrder += 1);
  const untried = { spentAttempts: 0, readySinceMs: null, conversation: null };
  const history = { lateResults: [], endedAttempts: [] };
  put(state, queued(state, { spec, order, lane, ...untried, ...history }, atMs));
}

function queueAnew(
  state: OwnState,
  { taskId, atMs }: { readonly taskId: string; readonly atMs: number },
  changed: Partial<Task>,
): void {
  const task = state.tasks.get(taskId);
  if (task !== undefined) put(state, queued(state, { ...task, ...changed }, atMs));
}

function putBack(state: OwnState, { taskId }: DataOfType<'AttemptReleased'>): void {
  change(state, taskId, { status: { is: 'ready' } });
}

function claimed(state: OwnState, data: DataOfType<'TaskClaimed'>): void {
  const { taskId, attemptId, workerId, agent, provider, account, model } = data;
  const { fencingToken, reservedNanoUsd, leaseMs, progressMs, atMs } = data;
  const task = state.tasks.get(taskId);
  if (task === undefined) return;
  const seat = { agent, provider, account, models: [] };
  const scopes = scopesOf(kindOfTask(task), seat, workerId);
  for (const scope of scopes) {
    add(state.wip, scope, 1);
    add(state.reservedNanoUsd, scope, reservedNanoUsd);
  }
  const ids = { attemptId, taskId, workerId, fencingToken, agent, provider, account, model };
  const clocks = {
    claimedAtMs: atMs,
    leaseFromMs: atMs,
    progressFromMs: atMs,
    leaseMs,
    progressMs,
  };
  const news = { phase: 'claimed', sessionId: null, percent: null, halt: null } as const;
  const carriesOn = task.conversation;
  const held = { reservedNanoUsd, scopes, carriesOn, refused: [] };
  state.running.set(attemptId, { ...ids, ...clocks, ...news, ...held });
  state.lastFencingToken = fencingToken;
  for (const [key, it] of state.coolingDown) {
    if (it.untilMs > atMs || !isUnder(it, seat, model)) continue;
    const probeAttemptId = it.probeAttemptId ?? attemptId;
    state.coolingDown.set(key, { ...it, claims: it.claims + 1, probeAttemptId });
  }
  put(state, { ...task, status: { is: 'running', attemptId }, conversation: null });
}

function report(
  state: OwnState,
  { attemptId, sessionId, atMs }: DataOfType<'AttemptStarted'>,
  percent: number | null,
): void {
  const attempt = state.running.get(attemptId);
  if (attempt === undefined) return;
  const known = { sessionId: sessionId ?? attempt.sessionId, percent: percent ?? attempt.percent };
  const since = { leaseFromMs: atMs, progressFromMs: atMs };
  state.running.set(attemptId, { ...attempt, ...known, ...since, phase: 'started' });
}

/** Gives back all that the attempt held. Its task is the caller's to move. */
function end(
  state: OwnState,
  attemptId: string,
  how: EndedAttempt['end'],
  resultHash: string | null = null,
): void {
  const attempt = state.running.get(attemptId);
  if (attempt === undefined) return;
  const { taskId, workerId, fencingToken, scopes, reservedNanoUsd, refused } = attempt;
  for (const scope of scopes) {
    add(state.wip, scope, -1);
    add(state.reservedNanoUsd, scope, -reservedNanoUsd);
  }
  settle(state, attempt);
  state.running.delete(attemptId);
  const ids = { attemptId, taskId, workerId, fencingToken };
  rememberAttempt(state, { ...ids, end: how, resultHash, refused });
  endProbe(state, attempt, how === 'completed');
  if (how === 'completed') state.providerFailures.delete(coolDownKey(attempt));
}

function settle(state: OwnState, { scopes, reservedNanoUsd }: RunningAttempt): void {
  const { settling, clockMs } = state;
  while (settling[0] !== undefined && settling[0].untilMs <= clockMs) settling.shift();
  if (reservedNanoUsd === 0) return;
  const stepMs = limits.settlingStepMs;
  const untilMs = Math.ceil((clockMs + limits.settlingMs) / stepMs) * stepMs;
  let last = settling.at(-1);
  if (last?.untilMs !== untilMs) settling.push((last = { untilMs, nanoUsdByScope: new Map() }));
  for (const scope of scopes) add(last.nanoUsdByScope, scope, reservedNanoUsd);
}

/** A probe that came to nothing proves nothing: there may be another. */
function endProbe(
  state: OwnState,
  { attemptId, claimedAtMs }: RunningAttempt,
  hasCompleted: boolean,
): void {
  const provenMs = Math.min(state.clockMs, claimedAtMs + limits.coolDownProofMs);
  for (const [key, it] of state.coolingDown) {
    if (it.probeAttemptId !== attemptId) continue;
    const next = hasCompleted ? { provenMs } : { claims: 0, probeAttemptId: null };
    state.coolingDown.set(key, { ...it, ...next });
  }
}

function countProviderFailure(state: OwnState, data: DataOfType<'AttemptFailed'>): void {
  const attempt = state.running.get(data.attemptId);
  if (attempt !== undefined && data.cause === 'provider') {
    add(state.providerFailures, coolDownKey(attempt), 1);
    const [oldest] = state.providerFailures.keys();
    if (state.providerFailures.size > limits.failingProvidersMax && oldest !== undefined) {
      state.providerFailures.delete(oldest);
    }
  }
}

function completed(
  state: OwnState,
  { taskId, attemptId, atMs }: DataOfType<'LateResultAdopted'>,
  resultHash: string | null,
): void {
  change(state, taskId, {
    status: { is: 'completed', attemptId, resultHash },
    conversation: null,
  });
  for (const dependent of state.dependents.get(taskId) ?? []) {
    const task = state.tasks.get(dependent);
    if (task?.status.is === 'waiting') put(state, queued(state, task, atMs));
  }
}

function adopted(state: OwnState, data: DataOfType<'LateResultAdopted'>): void {
  const late = state.tasks.get(data.taskId)?.lateResults;
  const resultHash = late?.find((it) => it.attemptId === data.attemptId)?.resultHash ?? null;
  completed(state, data, resultHash);
}

function lost(
  state: OwnState,
  data: Pick<DataOfType<'LeaseExpired'>, 'taskId' | 'attemptId' | 'notBeforeMs'>,
  usualCost: 0 | 1,
): void {
  const attempt = state.running.get(data.attemptId);
  const cost = attempt !== undefined && openHalt(attempt) !== undefined ? 0 : usualCost;
  end(state, data.attemptId, 'lost');
  const spentAttempts = (state.tasks.get(data.taskId)?.spentAttempts ?? 0) + cost;
  const status = { is: 'delayed', notBeforeMs: data.notBeforeMs } as const;
  change(state, data.taskId, { status, spentAttempts });
}

/** Cancelled or parked, from wherever it was. */
function leave(state: OwnState, taskId: string, status: TaskStatus): void {
  const before = state.tasks.get(taskId)?.status;
  if (before?.is === 'running') end(state, before.attemptId, 'lost');
  change(state, taskId, { status, conversation: null });
}

function keepLateResult(state: OwnState, data: DataOfType<'LateResultKept'>): void {
  const { taskId, attemptId, resultHash } = data;
  const known = state.tasks.get(taskId)?.lateResults ?? [];
  change(state, taskId, { lateResults: [...known, { attemptId, resultHash }] });
}

function refused(state: OwnState, { attemptId, move }: DataOfType<'StaleTokenRefused'>): void {
  tell(state.running, attemptId, move);
  tell(state.ended, attemptId, move);
}

/** Each move stands here once, however often it was told of. */
function tell<T extends Pick<EndedAttempt, 'refused'>>(
  attempts: Map<string, T>,
  attemptId: string,
  move: AttemptMove['type'],
): void {
  const attempt = attempts.get(attemptId);
  if (attempt === undefined || attempt.refused.includes(move)) return;
  attempts.set(attemptId, { ...attempt, refused: [...attempt.refused, move] });
}

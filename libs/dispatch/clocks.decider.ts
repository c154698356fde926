import { again, endedAt, idsOf, leftWhenLost } from './attempts.decider.js';
import type { ClockCommand, Sign } from './commands.js';
import type { DispatchEvent, DispatchState, RunningAttempt } from './dispatch-state.js';
import { endedCoolDowns } from './gates.decider.js';

/** What the passing of time comes to. */
export function decideClock(command: ClockCommand, state: DispatchState): DispatchEvent[] {
  const { nowMs } = command;
  if (command.type === 'after-restart') {
    if (state.running.size === 0) return [];
    return [{ type: 'LeasesRenewed', data: { attempts: state.running.size, atMs: nowMs } }];
  }
  const expired = [...state.running.values()].flatMap((attempt) =>
    expire(attempt, command.signs.get(attempt.attemptId), state, nowMs),
  );
  return [...expired, ...endedCoolDowns(state, nowMs)];
}

/** Nothing while the attempt is within its time; else its end. */
function expire(
  attempt: RunningAttempt,
  sign: Sign | undefined,
  state: DispatchState,
  nowMs: number,
): DispatchEvent[] {
  const ids = idsOf(attempt);
  const next = { ...again(attempt, state, nowMs), ...endedAt(attempt, nowMs) };
  const left = (how: string) => leftWhenLost(attempt, state, how, nowMs);
  const unheardMs = nowMs - latest(attempt.leaseFromMs, sign?.beatMs, nowMs);
  if (unheardMs > attempt.leaseMs) {
    const data = { ...ids, silentMs: unheardMs, ...next };
    return [{ type: 'LeaseExpired', data }, ...left('its worker fell silent.')];
  }
  const stalledMs = nowMs - latest(attempt.progressFromMs, sign?.progressMs, nowMs);
  if (stalledMs > attempt.progressMs) {
    const data = { ...ids, silentMs: stalledMs, ...next };
    return [{ type: 'ProgressDeadlineMissed', data }, ...left('its agent did not get on.')];
  }
  const timeoutMs = state.tasks.get(attempt.taskId)?.spec.timeoutMs ?? Infinity;
  if (next.durationMs <= timeoutMs) return [];
  const error = `It took longer than ${timeoutMs} ms.`;
  const data = { ...ids, cause: 'timeout', error, retryable: true, ...next } as const;
  return [{ type: 'AttemptFailed', data }, ...left(error)];
}

/** A sign from a time that is yet to come is none: it could hold a lease for ever. */
function latest(fromMs: number, seenMs: number | undefined, nowMs: number): number {
  return seenMs === undefined || seenMs > nowMs ? fromMs : Math.max(fromMs, seenMs);
}

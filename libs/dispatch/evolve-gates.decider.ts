import type { DispatchEvent, OwnState } from './dispatch-state.js';
import { coolDownKey } from './gates.decider.js';

/** What events make of workers, gates and clocks. */
export function evolveGate(state: OwnState, event: DispatchEvent): void {
  switch (event.type) {
    case 'WorkerRegistered':
      state.workers.set(event.data.workerId, event.data);
      break;
    case 'WorkerGone':
      state.workers.delete(event.data.workerId);
      break;
    case 'ClaimsPaused':
    case 'DrainStarted': {
      const { scope, reason, atMs: sinceMs } = event.data;
      const mode = event.type === 'ClaimsPaused' ? 'paused' : 'draining';
      state.closed.set(scope, { mode, reason, sinceMs });
      break;
    }
    case 'ClaimsResumed':
      state.closed.delete(event.data.scope);
      break;
    case 'ScopeTripped': {
      const { scope, reason, atMs: sinceMs } = event.data;
      state.tripped.set(scope, { reason, sinceMs });
      break;
    }
    case 'ScopeReset':
      state.tripped.delete(event.data.scope);
      break;
    case 'WipLimitSet': {
      const { scope, limit } = event.data;
      if (limit === null) state.wipLimits.delete(scope);
      else state.wipLimits.set(scope, limit);
      break;
    }
    case 'CoolDownStarted': {
      const { provider, account, model, level, untilMs } = event.data;
      const key = coolDownKey(event.data);
      const untried = { claims: 0, probeAttemptId: null, provenMs: null };
      state.coolingDown.set(key, { provider, account, model, level, untilMs, ...untried });
      state.providerFailures.delete(key);
      break;
    }
    case 'CoolDownEnded':
      state.coolingDown.delete(coolDownKey(event.data));
      break;
    case 'LeasesRenewed': {
      const { atMs } = event.data;
      for (const [attemptId, attempt] of state.running) {
        state.running.set(attemptId, { ...attempt, leaseFromMs: atMs, progressFromMs: atMs });
      }
      break;
    }
    default:
      break;
  }
}

import type { Decider } from '#kernel/decider.js';
import { decideMove } from './attempts.decider.js';
import { claim } from './claims.decider.js';
import { decideClock } from './clocks.decider.js';
import type { DispatchCommand } from './commands.js';
import {
  emptyState,
  type DispatchEvent,
  type DispatchState,
  type OwnState,
} from './dispatch-state.js';
import { evolve } from './evolve.decider.js';
import { decideGate } from './gates.decider.js';
import { decideHalt } from './halts.decider.js';
import { decideTask } from './tasks.decider.js';
import { decideWorker } from './workers.decider.js';

/** All of dispatch: what must be decided together is decided here, one command after another. */
export const dispatchDecider: Decider<DispatchCommand, DispatchState, DispatchEvent> = {
  /** Another one each time, since `evolve` changes it in place. */
  get initial() {
    return emptyState();
  },

  decide(command, state) {
    // Another process may have been ahead: time never runs back.
    const nowMs = Math.max(command.nowMs, state.clockMs);
    return decideAt({ ...command, nowMs }, state);
  },

  evolve(state, event) {
    return evolve(state as OwnState, event);
  },
};

function decideAt(command: DispatchCommand, state: DispatchState): readonly DispatchEvent[] {
  switch (command.type) {
    case 'claim':
      return claim(state, command.workerId, command, command.nowMs);
    case 'start':
    case 'beat':
    case 'progress':
    case 'complete':
    case 'fail':
    case 'release':
    case 'halted':
      return decideMove(command, state);
    case 'halt':
    case 'resume-task':
    case 'lift':
      return decideHalt(command, state);
    case 'tick':
    case 'after-restart':
      return decideClock(command, state);
    case 'register-worker':
    case 'worker-gone':
      return decideWorker(command, state);
    case 'pause':
    case 'drain':
    case 'resume':
    case 'trip':
    case 'reset':
    case 'limit-wip':
    case 'cool-down':
      return decideGate(command, state);
    default:
      return decideTask(command, state);
  }
}

import type { HaltWay } from '#eventstore/vocabulary/dispatch.events.js';
import type { DispatchEvent, DispatchState } from './dispatch-state.js';
import type { Dispatcher } from './dispatcher.js';
import { openHalt } from './halts.decider.js';

/** What a worker is told at once, without asking. */
export type ControlMessage =
  /**
   * All that it holds, at the beginning: whatever else it still runs has been given to others. Of what it
   * holds, some may be to be halted.
   */
  | {
      readonly event: 'holds';
      readonly data: {
        readonly attemptIds: readonly string[];
        readonly halts: readonly HaltNotice[];
      };
    }
  /** The agent is to end, at the next pause in its work or at once, so that it can be carried on. */
  | { readonly event: HaltWay; readonly data: Omit<HaltNotice, 'how'> }
  /** It was dismissed, and is to end. */
  | { readonly event: 'leave'; readonly data: { readonly reason: string } }
  /** The attempt is no longer its own: its agent is to end. */
  | {
      readonly event: 'stop';
      readonly data: { readonly attemptId: string; readonly reason: string };
    };

interface HaltNotice {
  readonly attemptId: string;
  readonly how: HaltWay;
  readonly reason: string;
}

/**
 * What a worker is to know, until the signal ends it. It is told what it does not hold any more,
 * however it lost it; that includes what it ended itself, which it knows.
 */
export async function* controlOf(
  dispatcher: Dispatcher,
  workerId: string,
  signal: AbortSignal,
): AsyncGenerator<ControlMessage> {
  const first = await dispatcher.state();
  let held = heldBy(first, workerId);
  const holds = { attemptIds: [...held.keys()], halts: haltsOf(first, workerId) };
  const messages: ControlMessage[] = [{ event: 'holds', data: holds }];
  let wake = (): void => undefined;
  const ended = dispatcher.listen((events, state) => {
    if (!events.some(mayEndAttempts)) {
      held = heldBy(state, workerId);
      return;
    }
    const now = heldBy(state, workerId);
    for (const [attemptId, taskId] of held) {
      if (now.has(attemptId)) continue;
      const reason = reasonFor(attemptId, taskId, events);
      messages.push({ event: 'stop', data: { attemptId, reason } });
    }
    held = now;
    for (const { type, data } of events) {
      if (type === 'AttemptHaltOrdered' && data.workerId === workerId) {
        const { attemptId, reason } = data;
        messages.push({ event: data.how, data: { attemptId, reason } });
      }
      if (type === 'WorkerGone' && data.workerId === workerId) {
        messages.push({ event: 'leave', data: { reason: data.reason } });
      }
    }
    wake();
  });
  const leave = (): void => {
    wake();
  };
  signal.addEventListener('abort', leave);
  try {
    while (!signal.aborted) {
      const next = messages.shift();
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    ended();
    signal.removeEventListener('abort', leave);
  }
}

/** The attempts of a worker, each with its task. */
function heldBy({ running }: DispatchState, workerId: string): Map<string, string> {
  const own = [...running.values()].filter((it) => it.workerId === workerId);
  return new Map(own.map(({ attemptId, taskId }) => [attemptId, taskId]));
}

function haltsOf({ running }: DispatchState, workerId: string): HaltNotice[] {
  return [...running.values()].flatMap((attempt) => {
    const halt = attempt.workerId === workerId ? openHalt(attempt) : undefined;
    if (halt === undefined) return [];
    return [{ attemptId: attempt.attemptId, how: halt.how, reason: halt.reason }];
  });
}

function mayEndAttempts({ type }: DispatchEvent): boolean {
  return type !== 'TaskClaimed' && type !== 'TaskSubmitted' && type !== 'ProgressReported';
}

function reasonFor(attemptId: string, taskId: string, events: readonly DispatchEvent[]): string {
  for (const { type, data } of events) {
    // What was decided in the same append may be of other tasks.
    if (!('taskId' in data) || data.taskId !== taskId) continue;
    if (type === 'TaskCancelled') return `Its task was cancelled. ${data.reason}`.trim();
    if (type === 'TaskParked') return `Its task was parked. ${data.reason}`.trim();
    if ('attemptId' in data && data.attemptId === attemptId) return sentences[type] ?? type;
  }
  return 'It has lost its task.';
}

const sentences: Partial<Record<DispatchEvent['type'], string>> = {
  LeaseExpired: 'Its worker fell silent for longer than the lease.',
  ProgressDeadlineMissed: 'Its agent did not get on.',
  AttemptFailed: 'It failed, or took too long.',
  AttemptHalted: 'It was halted.',
  AttemptReleased: 'It was given back.',
  AttemptCompleted: 'It has completed.',
};

import type { EventLog } from '#eventstore/src/log.js';
import { limits } from '#kernel/limits.js';
import { isRefusal } from '#kernel/refusal.js';
import type { Dispatcher } from '#libs/dispatch/dispatcher.js';
import type { DispatchEvent, DispatchState } from '#libs/dispatch/dispatch-state.js';
import type { AttemptEnd, Halt, RunningWork, WorkControl } from '#libs/kills/ports.js';

const actor = 'policy:budgets';

/** The kill switch steers what dispatch has given to workers: the two contexts meet here. */
export class WorkOfDispatch implements WorkControl {
  /** Who halted anything since it was last known that they hold nothing. */
  private readonly held = new Set<string>();

  private constructor(
    private readonly log: EventLog,
    private readonly dispatcher: Dispatcher,
    private state: DispatchState,
  ) {
    for (const holder of holdersIn(state)) this.held.add(holder);
    dispatcher.listen((events, now) => {
      this.state = now;
      for (const { type, data } of events) {
        if (type !== 'AttemptHaltOrdered' && type !== 'TaskPaused') continue;
        if (data.holder !== null) this.held.add(data.holder);
      }
    });
  }

  static async of(log: EventLog, dispatcher: Dispatcher): Promise<WorkOfDispatch> {
    return new WorkOfDispatch(log, dispatcher, await dispatcher.state());
  }

  running(): readonly RunningWork[] {
    return [...this.state.running.values()].map(
      ({ taskId, attemptId, workerId, agent, sessionId, scopes, halt }) => ({
        ...{ taskId, attemptId, workerId, agent, sessionId, scopes },
        halting: halt === null || halt.isLifted ? null : halt.how,
      }),
    );
  }

  tripped(): readonly string[] {
    return [...this.state.tripped.keys()];
  }

  holders(): readonly string[] {
    return [...this.held];
  }

  async trip(scope: string, reason: string): Promise<void> {
    await this.dispatcher.order({ type: 'trip', scope, reason: short(reason) }, actor);
  }

  async reset(scope: string, reason: string): Promise<void> {
    await this.dispatcher.order({ type: 'reset', scope, reason: short(reason) }, actor);
  }

  async pauseClaims(reason: string, by: string): Promise<void> {
    await this.dispatcher.order({ type: 'pause', scope: 'all', reason: short(reason) }, by);
  }

  async halt({ target, how, reason, holder }: Halt, by: string): Promise<void> {
    const order = { type: 'halt', target, how, reason: short(reason), holder } as const;
    await this.dispatcher.order(order, by).catch((error: unknown) => {
      // It has ended since: there is nothing left to halt.
      if (!isRefusal(error)) throw error;
    });
  }

  async lift(holder: string, reason: string): Promise<void> {
    this.held.delete(holder);
    await this.dispatcher.order({ type: 'lift', holder, reason }, actor);
  }

  listen(listener: () => void): () => void {
    return this.dispatcher.listen((events) => {
      if (events.some(mayChangeWork)) listener();
    });
  }

  async endsOf(attemptIds: ReadonlySet<string>): Promise<readonly AttemptEnd[]> {
    const found = new Map<string, AttemptEnd>();
    const until = await this.log.head();
    const { signal } = new AbortController();
    for await (const batch of this.log.follow(0n, { types: ends, until, signal })) {
      for (const event of batch) {
        const end = endIn(event as unknown as DispatchEvent);
        if (end !== undefined && attemptIds.has(end.attemptId)) found.set(end.attemptId, end);
      }
    }
    return [...found.values()];
  }

  listenToEnds(listener: (end: AttemptEnd) => void): () => void {
    return this.dispatcher.listen((events) => {
      for (const event of events) {
        const end = endIn(event);
        if (end !== undefined) listener(end);
      }
    });
  }
}

function holdersIn({ tasks, running }: DispatchState): string[] {
  const holders: string[] = [];
  for (const { status } of tasks.values()) {
    if (status.is === 'paused' && status.holder !== null) holders.push(status.holder);
  }
  for (const { halt } of running.values()) {
    if (halt !== null && !halt.isLifted && halt.holder !== null) holders.push(halt.holder);
  }
  return holders;
}

/** What runs, whose session it is, and what its claims are held back by. */
function mayChangeWork({ type }: DispatchEvent): boolean {
  return type === 'TaskClaimed' || type === 'AttemptStarted' || type === 'ProgressReported';
}

const ends: readonly DispatchEvent['type'][] = [
  'AttemptHalted',
  'AttemptCompleted',
  'AttemptReleased',
  'AttemptFailed',
  'LeaseExpired',
  'ProgressDeadlineMissed',
];

/** A worker that tells of an end has seen its agent end; whoever is given up was not looked at. */
function endIn({ type, data }: DispatchEvent): AttemptEnd | undefined {
  switch (type) {
    case 'AttemptHalted':
      return { attemptId: data.attemptId, ended: data.processesEnded, survivors: data.survivors };
    case 'AttemptCompleted':
    case 'AttemptReleased':
      return { attemptId: data.attemptId, ended: 1, survivors: [] };
    case 'AttemptFailed':
      return {
        attemptId: data.attemptId,
        ...(data.cause === 'timeout' ? { ended: 0, survivors: null } : { ended: 1, survivors: [] }),
      };
    case 'LeaseExpired':
    case 'ProgressDeadlineMissed':
      return { attemptId: data.attemptId, ended: 0, survivors: null };
    default:
      return undefined;
  }
}

function short(reason: string): string {
  return reason.slice(0, limits.freeTextCharactersMax);
}

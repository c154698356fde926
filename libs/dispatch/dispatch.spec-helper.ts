import { faultOf } from '#eventstore/vocabulary/vocabulary.js';
import { limits } from '#kernel/limits.js';
import { isRefusal } from '#kernel/refusal.js';
import type { BudgetReading, DispatchCommand, RegisterWorker, Seat, TaskSpec } from './commands.js';
import { dispatchDecider } from './dispatch.decider.js';
import { emptyState, type DispatchEvent, type DispatchState } from './dispatch-state.js';

/** Commands one after another, each on what those before it left; time goes by as it is told. */
export class Dispatch {
  state: DispatchState;
  readonly events: DispatchEvent[] = [];
  nowMs = 0;
  private attempts = 0;

  constructor(endedRememberedMax?: number) {
    this.state = emptyState(endedRememberedMax);
  }

  /** What the command came to; its events have happened. */
  when(command: WithoutTime): readonly DispatchEvent[] {
    const timed: DispatchCommand = { nowMs: this.nowMs, ...command };
    const events = dispatchDecider.decide(timed, this.state);
    for (const event of events) {
      expect(faultOf({ ...event, id: '', metadata: nobody })).toBeUndefined();
      this.apply(event);
    }
    return events;
  }

  apply(event: DispatchEvent): void {
    this.state = dispatchDecider.evolve(this.state, event);
    this.events.push(event);
  }

  /** The types of the events that the command came to. */
  types(command: WithoutTime): string[] {
    return this.when(command).map(({ type }) => type);
  }

  /** The code with which the command was refused. */
  refusal(command: WithoutTime): string | undefined {
    try {
      this.when(command);
    } catch (error) {
      if (isRefusal(error)) return error.code;
      throw error;
    }
    return undefined;
  }

  later(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  submit(...tasks: readonly Partial<TaskSpec>[]): this {
    this.when({ type: 'submit', tasks: tasks.map((it) => task(it)) });
    return this;
  }

  worker(workerId: string, given: Partial<RegisterWorker['worker']> = {}): this {
    const own = {
      host: 'h',
      tokenHash: 'hash',
      shards: ['impl' as const],
      seats: [claude],
      slots: 9,
      agents: [],
      containment: null,
    };
    this.when({ type: 'register-worker', worker: { workerId, ...own, ...given } });
    return this;
  }

  /** The task that the worker got; undefined = none. */
  claim(workerId: string, budgets: readonly BudgetReading[] = []): string | undefined {
    const attemptId = `a${(this.attempts += 1)}`;
    const { leaseMs } = limits;
    const [event] = this.when({ type: 'claim', workerId, attemptId, budgets, leaseMs });
    return event?.type === 'TaskClaimed' ? event.data.taskId : undefined;
  }

  /** Claims the next task and begins it. */
  run(workerId: string): Running {
    this.claim(workerId);
    const attempt = [...this.state.running.values()].at(-1);
    if (attempt === undefined) throw new Error('Nothing was claimed.');
    const { attemptId, fencingToken, taskId } = attempt;
    this.when({ type: 'start', attemptId, fencingToken, sessionId: null });
    return { attemptId, fencingToken, taskId };
  }

  fail({ attemptId, fencingToken }: Running, given: object = {}): readonly DispatchEvent[] {
    const facts = { cause: 'error', error: 'it broke', retryable: true, coolDown: null } as const;
    const move = { type: 'fail', attemptId, fencingToken, ...facts, claimNext: null } as const;
    return this.when({ ...move, ...given });
  }

  complete({ attemptId, fencingToken }: Running, resultHash = 'result'): readonly DispatchEvent[] {
    const move = { attemptId, fencingToken, resultHash, claimNext: null };
    return this.when({ type: 'complete', ...move });
  }

  tick(signs = new Map<string, { beatMs: number; progressMs: number }>()): string[] {
    return this.types({ type: 'tick', signs });
  }

  status(taskId: string): string | undefined {
    return this.state.tasks.get(taskId)?.status.is;
  }
}

export interface Running {
  readonly attemptId: string;
  readonly fencingToken: number;
  readonly taskId: string;
}

type WithoutTime = DispatchCommand extends infer C
  ? C extends DispatchCommand
    ? Omit<C, 'nowMs'> & { readonly nowMs?: number }
    : never
  : never;

export const claude: Seat = {
  agent: 'claude-code',
  provider: 'anthropic',
  account: 'one',
  models: [],
};
export const codex: Seat = { agent: 'codex', provider: 'openai', account: 'two', models: [] };

export function task(given: Partial<TaskSpec> = {}): TaskSpec {
  const ids = {
    taskId: 't',
    idempotencyKey: null,
    dependsOn: [],
    agent: 'any',
    model: null,
  } as const;
  const kind = { lane: 'normal', shard: 'impl', size: 'small', team: null, project: null } as const;
  const where = { directory: '/work', repository: null, ref: null, permissionMode: null };
  const money = { reserveNanoUsd: 0, maxCostNanoUsd: null };
  const bounds = { attemptsMax: 3, ...money, timeoutMs: 24 * 60 * 60_000 };
  const content = {
    dependsOn: [],
    tags: [],
    allowedTools: [],
    promptHash: 'hash',
    promptCharacters: 4,
  };
  return { ...ids, ...kind, ...where, ...bounds, ...content, ...given };
}

const nobody = { actor: 'test', source: 'test', occurredAt: '2026-11-20T10:00:00.000Z' };

import type { AttemptEnd, BudgetStandings, Halt, LiveAgent, LiveAgents } from './ports.js';
import type { RunningWork, Standing, WorkControl } from './ports.js';

class Told {
  private readonly listeners = new Set<() => void>();

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  protected tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** Stands for dispatch and its workers: notes what it is told, in order. */
export class ScriptedWork extends Told implements WorkControl {
  attempts: RunningWork[] = [];
  readonly shut = new Map<string, string>();
  readonly held = new Set<string>();
  readonly said: string[] = [];
  readonly halts: Halt[] = [];
  private readonly ends = new Set<(end: AttemptEnd) => void>();

  running = () => this.attempts;
  tripped = () => [...this.shut.keys()];
  holders = () => [...this.held];

  trip(scope: string, reason: string): Promise<void> {
    this.said.push(`trip ${scope}`);
    this.shut.set(scope, reason);
    return Promise.resolve();
  }

  reset(scope: string): Promise<void> {
    this.said.push(`reset ${scope}`);
    this.shut.delete(scope);
    return Promise.resolve();
  }

  pauseClaims(reason: string): Promise<void> {
    this.said.push(`pause claims: ${reason}`);
    return Promise.resolve();
  }

  halt(halt: Halt): Promise<void> {
    const { target, how, holder } = halt;
    this.halts.push(halt);
    this.said.push(`${how} ${Object.values(target).join('')}`);
    if (holder !== null) this.held.add(holder);
    this.attempts = this.attempts.map((it) =>
      'taskId' in target && it.taskId === target.taskId ? { ...it, halting: how } : it,
    );
    return Promise.resolve();
  }

  lift(holder: string): Promise<void> {
    this.said.push(`lift ${holder}`);
    this.held.delete(holder);
    return Promise.resolve();
  }

  /** What the log says of attempts that have ended. */
  readonly ended: AttemptEnd[] = [];
  endsOf = (attemptIds: ReadonlySet<string>) =>
    Promise.resolve(this.ended.filter(({ attemptId }) => attemptIds.has(attemptId)));

  listenToEnds(listener: (end: AttemptEnd) => void): () => void {
    this.ends.add(listener);
    return () => this.ends.delete(listener);
  }

  /** Its worker says what became of an attempt. */
  end(end: AttemptEnd): void {
    this.attempts = this.attempts.filter(({ attemptId }) => attemptId !== end.attemptId);
    for (const listener of this.ends) listener(end);
  }

  begin(...attempts: readonly RunningWork[]): void {
    this.attempts.push(...attempts);
    this.tell();
  }
}

export class ScriptedAgents extends Told implements LiveAgents {
  live: LiveAgent[] = [];
  alive = () => this.live;

  begin(agent: LiveAgent): void {
    this.live.push(agent);
    this.tell();
  }
}

export class ScriptedBudgets extends Told implements BudgetStandings {
  private now: readonly Standing[] | undefined = [];
  standings = () => this.now;

  stand(...standings: readonly Standing[]): void {
    this.now = standings;
    this.tell();
  }

  /** The server has just been started. */
  forget(): void {
    this.now = undefined;
    this.tell();
  }
}

export function runningWork(name: string, given: Partial<RunningWork> = {}): RunningWork {
  return {
    ...{ taskId: `task-${name}`, attemptId: `attempt-${name}`, workerId: 'worker-1' },
    ...{ agent: 'claude-code', sessionId: null, scopes: ['all'], halting: null, ...given },
  };
}

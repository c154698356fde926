import { limits } from '#kernel/limits.js';
import { Reconciler } from '#platform/reconciler.js';
import type { KillSwitch } from './kill-switch.js';
import type {
  BudgetStandings,
  FactsOf,
  LiveAgent,
  LiveAgents,
  RunningWork,
  Standing,
  WorkControl,
} from './ports.js';
import { attemptTarget, sessionTarget } from './targets.js';
import { isOfDispatch, isWithin } from './scopes.policy.js';

export interface EnforcerParts {
  readonly budgets: BudgetStandings;
  readonly work: WorkControl;
  readonly agents: LiveAgents;
  readonly factsOf: FactsOf;
  readonly kills: KillSwitch;
  /** Is told why it does not get on; at once, and not over and over. */
  readonly report: (sentence: string) => void;
}

const actor = 'policy:budgets';

/**
 * Sees to it that what budgets say holds: claims shut, work paused, agents killed, and what was stopped goes
 * on when its budget lets it. It goes by what stands, not by what happens: whatever was cut off
 * half-way, and whoever comes new into a scope that is shut, is met by the next look.
 */
export class Enforcer {
  private readonly ends: (() => void)[] = [];
  private readonly reconciler = new Reconciler(
    () => this.enforce(),
    (reason) => {
      // The timer tries again.
      this.parts.report(`Budgets could not be enforced (${reason}). Trying again.`);
    },
  );
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: EnforcerParts) {}

  start(): void {
    const { nudge } = this.reconciler;
    const { budgets, work, agents } = this.parts;
    this.ends.push(budgets.listen(nudge), work.listen(nudge), agents.listen(nudge));
    this.timer = setInterval(nudge, limits.enforcementMs);
    this.timer.unref();
    nudge();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    for (const end of this.ends) end();
    await this.reconciler.stop();
  }

  /**
   * Why an agent that a person began may not go on; null = nothing keeps it, or a worker runs it and is told
   * when to stop. Asked before each of its steps, so it is quick and waits for nothing.
   */
  stopReasonFor(session: Pick<LiveAgent, 'agent' | 'sessionId'>): string | null {
    const standings = this.parts.budgets.standings() ?? [];
    // That nobody knows at this moment what was spent is no reason to stop people at work.
    const shut = standings.filter(
      ({ step, isKnown }) => isShut(step) && (isKnown || step === 'trip'),
    );
    if (shut.length === 0 || this.isOfWorker(session.sessionId)) return null;
    const facts = this.parts.factsOf(session.agent, session.sessionId);
    return shut.find(({ scope }) => isWithin(scope, session, facts))?.reason ?? null;
  }

  private async enforce(): Promise<void> {
    const standings = this.parts.budgets.standings();
    if (standings === undefined) return;
    await this.shutAndOpen(standings);
    for (const standing of standings) {
      if (standing.step === 'trip') await this.killAllOf(standing);
      else if (standing.step === 'pause') await this.pauseAllOf(standing);
    }
    // What is not known changes nothing.
    const stopping = new Set(
      standings
        .filter(({ step, isKnown }) => step === 'pause' || step === 'trip' || !isKnown)
        .map(({ budgetId }) => holderOf(budgetId)),
    );
    for (const holder of this.parts.work.holders()) {
      if (!holder.startsWith(holderOf('')) || stopping.has(holder)) continue;
      await this.parts.work.lift(holder, 'Its budget lets it go on.');
    }
  }

  /** First of all: nothing new is to begin while the rest is being ended. */
  private async shutAndOpen(standings: readonly Standing[]): Promise<void> {
    const { work } = this.parts;
    const tripped = new Map(
      standings
        .filter(({ step, scope }) => step === 'trip' && isOfDispatch(scope))
        .map(({ scope, reason }) => [scope, reason]),
    );
    const shut = work.tripped();
    for (const [scope, reason] of tripped) {
      if (!shut.includes(scope)) await work.trip(scope, reason);
    }
    for (const scope of shut) {
      if (!tripped.has(scope)) await work.reset(scope, 'No budget of this scope is tripped.');
    }
  }

  private async killAllOf({ scope, budgetId, reason }: Standing): Promise<void> {
    const { kills, agents } = this.parts;
    const attempts = this.workWithin(scope)
      .filter(({ halting }) => halting !== 'kill')
      .map(attemptTarget);
    const sessions = agents
      .alive()
      .filter(({ sessionId }) => !this.isOfWorker(sessionId))
      .filter((it) => isWithin(scope, it, this.parts.factsOf(it.agent, it.sessionId)))
      .map(sessionTarget);
    const targets = [...attempts, ...sessions];
    if (targets.length > 0) await kills.order({ targets, reason, budgetId, actor });
  }

  private async pauseAllOf({ scope, budgetId, reason }: Standing): Promise<void> {
    const holder = holderOf(budgetId);
    for (const { taskId, halting } of this.workWithin(scope)) {
      if (halting !== null) continue;
      await this.parts.work.halt({ target: { taskId }, how: 'pause', reason, holder }, actor);
    }
  }

  private isOfWorker(sessionId: string): boolean {
    return this.parts.work.running().some((it) => it.sessionId === sessionId);
  }

  /** What dispatch knows of the scope by itself, and what the session of an attempt says. */
  private workWithin(scope: string): RunningWork[] {
    return this.parts.work.running().filter((it) => {
      if (it.scopes.includes(scope) || scope === `task:${it.taskId}`) return true;
      if (it.sessionId === null) return false;
      const session = { agent: it.agent, sessionId: it.sessionId };
      return isWithin(scope, session, this.parts.factsOf(it.agent, it.sessionId));
    });
  }
}

function holderOf(budgetId: string): string {
  return `budget:${budgetId}`;
}

function isShut(step: Standing['step']): boolean {
  return step === 'gate' || step === 'pause' || step === 'trip';
}

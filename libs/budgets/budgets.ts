import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from '#eventstore/src/log.js';
import { BUDGETS_STREAM } from '#eventstore/vocabulary/budgets.events.js';
import { limits } from '#kernel/limits.js';
import { isRefusal, Refusal } from '#kernel/refusal.js';
import type { Clock } from '#platform/clock.js';
import { Decisions, type Decision } from '#platform/decisions.js';
import { budgetsDecider, type BudgetCommand } from './budgets.decider.js';
import {
  noBudgets,
  type Budget,
  type BudgetEvent,
  type BudgetLimit,
  type BudgetsState,
  type BudgetState,
  type Reading,
} from './budgets-state.js';
import { announcementOf, defaultBudgets } from './default-budgets.js';
import { allowanceOf, type Allowance } from './allowance.js';
import { Evaluator } from './evaluator.js';
import { observe } from './observe-spend.decider.js';
import { readingOf, Spend, type Figure } from './spend.js';
import type { EstimatedSpend, SpendSource } from './spend-source.js';
import { gatesOf, standingOf, type ClaimGate, type Standing } from './standings.js';
import { untouched, type Touched } from './touched.js';

export interface BudgetsParts {
  readonly log: EventLog;
  readonly source: SpendSource;
  readonly estimated: EstimatedSpend;
  readonly clock: Clock;
  /** Whether a new house is given the default budgets; in whose time zone. */
  readonly defaults: { readonly wanted: boolean; readonly timezone: string };
  /** Is told, once, why budgets do not go on, and which ones a new house begins with. */
  readonly report: (sentence: string) => void;
}

/** What was decided; empty when only something that stands changed. */
type Listener = (events: readonly BudgetEvent[]) => void;
type Decided = Decision<BudgetsState, BudgetEvent>;

/** A budget, and what its window holds; null = not known at this moment. */
export interface BudgetView {
  readonly budget: BudgetState;
  readonly figure: Figure | null;
}

/**
 * Budgets at work: sees what is spent, decides what it leads to, and says what stands.
 *
 * Until it is known what was spent, nothing of any budget may begin.
 */
export class Budgets {
  private readonly decisions: Decisions<BudgetCommand, BudgetsState, BudgetEvent>;
  private readonly spend: Spend;
  private readonly evaluator: Evaluator;
  private readonly listeners = new Set<Listener>();
  private current: BudgetsState = noBudgets;
  private wasRead = false;
  private isKnown = false;
  private figures: ReadonlyMap<string, Figure> = new Map();
  private standing: readonly Standing[] = [];
  private gates: readonly ClaimGate[] | undefined;

  constructor(private readonly parts: BudgetsParts) {
    const { log, source, estimated, clock, report } = parts;
    this.decisions = new Decisions(log, BUDGETS_STREAM, budgetsDecider);
    this.spend = new Spend(source, estimated);
    this.evaluator = new Evaluator({
      ...{ log, source, clock, report },
      evaluate: (touched) => this.evaluate(touched),
      lost: () => {
        this.isKnown = false;
        this.stands([]);
      },
    });
  }

  /**
   * As it was last read.
   *
   * @throws {Refusal} `READ_MODEL_BUILDING` before that
   */
  get state(): BudgetsState {
    if (this.wasRead) return this.current;
    throw new Refusal('READ_MODEL_BUILDING', 'The budgets are being read. Ask again in a moment.');
  }

  /** Whether it is known which budgets there are. */
  get hasBegun(): boolean {
    return this.wasRead;
  }

  /** Of budgets that do not say. */
  get timezone(): string {
    return this.parts.defaults.timezone;
  }

  /** Resolves when it is known what was spent, or after a moment: until then nothing begins. */
  async start(): Promise<void> {
    await this.evaluator.start();
    const known = this.evaluator.now().catch(() => undefined);
    await Promise.race([known, delay(limits.budgetStartMs, undefined, { ref: false })]);
  }

  stop(): Promise<void> {
    return this.evaluator.stop();
  }

  /**
   * Tells when something was decided here, once it is durable, or when something else stands.
   *
   * @returns what ends it
   */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** How far each budget has come. While what was spent is not known, every one is shut. */
  standings(): readonly Standing[] {
    return this.standing;
  }

  /** What budgets say to claims. */
  readings(): readonly ClaimGate[] {
    this.gates ??= gatesOf(this.wasRead ? this.views() : undefined, this.isKnown);
    return this.gates;
  }

  /** What budgets in money leave to whatever counts against these scopes; undefined = not known now. */
  allowanceOf(scopes: ReadonlySet<string>): Allowance | undefined {
    return this.isKnown ? allowanceOf(this.views(), scopes) : undefined;
  }

  /**
   * All budgets in the order of their ids, as their windows are now.
   *
   * @throws {Refusal} `READ_MODEL_BUILDING` before they were read
   */
  look(): readonly BudgetView[] {
    const { clock } = this.parts;
    const budgets = [...this.state.budgets.values()];
    let figures: ReadonlyMap<string, Figure> = new Map();
    try {
      ({ figures } = this.spend.look(budgets, clock.now(), untouched));
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    return this.views(figures).toSorted((a, b) => (a.budget.budgetId < b.budget.budgetId ? -1 : 1));
  }

  /** Whether anything of a scope was ever seen. */
  hasSeen(scope: string): boolean {
    return this.parts.source.read((reader) => reader.hasSeen(scope));
  }

  /** @throws {Refusal | LogError} */
  async set(budget: Budget, reason: string, actor: string): Promise<Decided> {
    const current = await this.currentOf(budget.budgetId);
    return this.order({ type: 'set', budget, reason, current }, actor);
  }

  /** @throws {Refusal | LogError} `BUDGET_NOT_FOUND`, `BUDGET_NOT_RAISED` and others */
  async raise(
    budgetId: string,
    limit: BudgetLimit,
    reason: string,
    actor: string,
  ): Promise<Decided> {
    const current = await this.currentOf(budgetId);
    return this.order({ type: 'raise', budgetId, limit, reason, current }, actor);
  }

  /** @throws {Refusal | LogError} `BUDGET_NOT_FOUND`, `BUDGET_STILL_SPENT` */
  async reset(budgetId: string, reason: string, actor: string): Promise<Decided> {
    const current = await this.currentOf(budgetId);
    return this.order({ type: 'reset', budgetId, reason, current }, actor);
  }

  /** @throws {Refusal | LogError} `BUDGET_NOT_FOUND` */
  remove(budgetId: string, reason: string, actor: string): Promise<Decided> {
    return this.order({ type: 'remove', budgetId, reason }, actor);
  }

  private views(figures = this.figures): BudgetView[] {
    return [...this.current.budgets.values()].map((budget) => {
      const figure = figures.get(budget.budgetId) ?? null;
      return { budget, figure };
    });
  }

  /** What the window of now holds; null where there is no such budget. */
  private async currentOf(budgetId: string): Promise<Reading | null> {
    await this.evaluator.now();
    const budget = this.current.budgets.get(budgetId);
    const figure = this.figures.get(budgetId);
    return budget === undefined || figure === undefined ? null : readingOf(budget, figure);
  }

  private async order(command: BudgetCommand, actor: string): Promise<Decided> {
    const decided = await this.decide(command, actor);
    this.current = decided.state;
    // What was decided is durable; what it comes to may take until spending is known again.
    await this.evaluator.now().catch(() => undefined);
    return decided;
  }

  private async decide(command: BudgetCommand, actor: string): Promise<Decided> {
    const occurredAt = new Date(this.parts.clock.now()).toISOString();
    const origin = { commandId: null, actor, source: 'budgets', occurredAt };
    return this.decisions.decide(command, origin);
  }

  private async evaluate(touched: Touched): Promise<void> {
    const { clock } = this.parts;
    await this.begin();
    this.current = await this.decisions.catchUp();
    this.wasRead = true;
    const budgets = [...this.current.budgets.values()];
    const nowMs = clock.now();
    await this.spend.prepare(budgets, nowMs, touched);
    const { figures, readings } = this.spend.look(budgets, nowMs, touched);
    this.figures = figures;
    const isNews = observe(this.current, readings).length > 0;
    const { events, state } = isNews
      ? await this.decide({ type: 'observe', readings }, 'budgets')
      : { events: [], state: this.current };
    this.current = state;
    this.isKnown = true;
    this.stands(events);
  }

  private async begin(): Promise<void> {
    const { defaults, report } = this.parts;
    if (this.wasRead) return;
    if (defaults.wanted) {
      const budgets = defaultBudgets(defaults.timezone);
      const { events } = await this.decide({ type: 'begin', budgets }, 'tri-agent');
      if (events.length > 0) report(announcementOf(budgets));
    }
  }

  private stands(events: readonly BudgetEvent[]): void {
    const before = this.standing;
    this.standing = this.views().map(({ budget, figure }) =>
      standingOf(budget, this.isKnown ? figure : null),
    );
    this.gates = undefined;
    const isSame =
      before.length === this.standing.length &&
      this.standing.every((it, index) => isEqual(it, before[index]));
    if (events.length === 0 && isSame) return;
    for (const listener of this.listeners) listener(events);
  }
}

/** What it says beside may be another at every look. */
function isEqual(a: Standing, b: Standing | undefined): boolean {
  return a.budgetId === b?.budgetId && a.step === b.step && a.isKnown === b.isKnown;
}

import { limits } from '#kernel/limits.js';
import type { BudgetState, Reading } from './budgets-state.js';
import { Blocks } from './block-windows.js';
import { addUp, nothingSpent, rowsByScope, RunningSums } from './running-sums.js';
import { slidingPeaks, type Amount } from './sliding.js';
import type { EstimatedSpend, Spent, SpendReader, SpendSource, SpentAt } from './spend-source.js';
import type { Range, Touched } from './touched.js';
import { Calendars, SLIDING_MS, type CalendarWindow, type Window } from './windows.js';

const DAY_MS = 86_400_000;

/** What the window of this moment holds. */
export interface Figure {
  readonly window: Window;
  /** As usage tells it. */
  readonly spent: Spent;
  readonly estimatedNanoUsd: number;
  /** Both, in the unit of the limit. */
  readonly amount: number;
  /** The most that the window held in the last 60 seconds where it slides, else the same. */
  readonly heldBy: number;
}

export interface Look {
  readonly figures: ReadonlyMap<string, Figure>;
  /** Of all windows that may have changed and are acted upon, the current one of each budget last. */
  readonly readings: readonly Reading[];
}

/** What a look at one moment reads, once for all budgets. */
interface Sight {
  readonly reader: SpendReader;
  readonly nowMs: number;
  readonly touched: Touched;
  readonly sumOf: (scope: string, window: Window) => Spent;
  /** Of the last minutes, by scope, for windows that slide. */
  readonly lately: ReadonlyMap<string, readonly SpentAt[]>;
}

/** Reads what budgets' windows hold. */
export class Spend {
  private readonly sums = new RunningSums();
  private readonly calendars = new Calendars();
  /** Of some minutes ago: at midnight the two are not the same. */
  private readonly calendarsBefore = new Calendars();
  private readonly blocks = new Blocks();

  constructor(
    private readonly source: SpendSource,
    private readonly estimated: EstimatedSpend,
  ) {}

  /**
   * Reads what is not remembered of the past, a day at a time, so that nothing else waits for long.
   *
   * @throws {Refusal} `READ_MODEL_BUILDING`
   */
  async prepare(budgets: readonly BudgetState[], nowMs: number, touched: Touched): Promise<void> {
    this.forget(touched, nowMs);
    this.sums.watch(new Set(budgets.map(({ scope }) => scope)));
    const starts = budgets.flatMap((budget) => this.startsOf(budget, nowMs));
    const firstMs = this.source.read((reader) => reader.firstMs());
    for (const range of this.sums.missing(starts, firstMs, nowMs)) {
      this.source.read((reader) => this.sums.load(reader, range));
      await new Promise(setImmediate);
    }
  }

  /** @throws {Refusal} `READ_MODEL_BUILDING` */
  look(budgets: readonly BudgetState[], nowMs: number, touched: Touched): Look {
    return this.source.read((reader) => {
      const sliding = new Set(budgets.flatMap((it) => (it.window === 'minute' ? [it.scope] : [])));
      const entries = sliding.size === 0 ? [] : reader.entries(sinceOf(touched, nowMs), nowMs + 1);
      const lately = rowsByScope(entries, sliding);
      const sumOf = this.sums.look(reader, nowMs);
      const sight: Sight = { reader, nowMs, touched, sumOf, lately };
      const figures = new Map<string, Figure>();
      const readings: Reading[] = [];
      for (const budget of budgets) {
        const isSliding = budget.window === 'minute';
        const before = isSliding ? peaksOf(budget, sight) : this.ended(budget, sight);
        const figure = isSliding ? this.sliding(budget, sight) : this.standing(budget, sight);
        figures.set(budget.budgetId, figure);
        readings.push(...before, readingOf(budget, figure));
      }
      return { figures, readings };
    });
  }

  private forget(touched: Touched, nowMs: number): void {
    const ranges: Range[] = [...touched.ranges];
    this.source.read((reader) => {
      for (const usageId of touched.corrected) {
        const atMs = reader.momentOf(usageId);
        if (atMs !== undefined) ranges.push({ fromMs: atMs, toMs: atMs });
      }
      for (const { agent, session } of touched.sessions) {
        // Its counters count no longer. What they told lies in the days of its work, which are these.
        const isNews = reader.hasMetrics(agent, session);
        if (isNews) ranges.push({ fromMs: nowMs - 2 * DAY_MS, toMs: nowMs });
      }
    });
    this.sums.forget(ranges);
    this.blocks.forget(ranges);
  }

  private startsOf(budget: BudgetState, nowMs: number): number[] {
    const { window, timezone } = budget;
    if (window === 'minute' || window === 'block') return [];
    const agoMs = nowMs - limits.budgetLateMs;
    const before = this.calendarsBefore.at(window, timezone, agoMs);
    return [before.startMs, this.calendars.at(window, timezone, nowMs).startMs];
  }

  private standing(budget: BudgetState, { reader, nowMs, sumOf }: Sight): Figure {
    const { scope, window, timezone } = budget;
    const current =
      window === 'block'
        ? this.blocks.at(scope, nowMs, reader)
        : this.calendars.at(calendarOf(window), timezone, nowMs);
    const figure = this.figure(budget, current, sumOf(scope, current), nowMs);
    return { ...figure, heldBy: figure.amount };
  }

  /** The window of some minutes ago, if it has ended since: what is late may still be of it. */
  private ended(budget: BudgetState, { reader, nowMs, sumOf }: Sight): Reading[] {
    const { scope, window, timezone } = budget;
    const agoMs = nowMs - limits.budgetLateMs;
    const { startMs, endMs } =
      window === 'block'
        ? this.blocks.atSettled(scope, agoMs, reader)
        : this.calendarsBefore.at(calendarOf(window), timezone, agoMs);
    if (endMs === null || endMs > nowMs) return [];
    return [
      endedReading(budget, startMs, endMs, amountOf(budget, sumOf(scope, { startMs, endMs }))),
    ];
  }

  private sliding(budget: BudgetState, { nowMs, lately }: Sight): Figure {
    const rows = lately.get(budget.scope) ?? [];
    const window = { startMs: nowMs - SLIDING_MS, endMs: nowMs };
    const inside = rows.filter(({ atMs }) => atMs > window.startMs && atMs <= nowMs);
    const figure = this.figure(budget, window, inside.reduce(addUp, nothingSpent), nowMs);
    const sinceMs = Math.max(window.startMs + 1, budget.sinceMs + SLIDING_MS);
    const peaks = slidingPeaks(amountsOf(budget, rows), sinceMs, nowMs);
    return { ...figure, heldBy: Math.max(figure.amount, ...peaks.map(({ spent }) => spent)) };
  }

  private figure(
    budget: BudgetState,
    window: Window,
    spent: Spent,
    nowMs: number,
  ): Omit<Figure, 'heldBy'> {
    const isMoney = budget.limit.unit === 'nanoUsd';
    const told = amountOf(budget, spent);
    const guess = this.estimated.nanoUsd(budget.scope, window.startMs, window.endMs ?? nowMs);
    const estimatedNanoUsd = Math.max(0, Math.round(guess));
    const amount = Math.min(told + (isMoney ? estimatedNanoUsd : 0), Number.MAX_SAFE_INTEGER);
    return { window, spent, estimatedNanoUsd, amount };
  }
}

function calendarOf(window: BudgetState['window']): CalendarWindow {
  return window === 'minute' || window === 'block' ? 'total' : window;
}

/** Windows that slide are looked at again where something was told, and no more than some minutes back. */
function peaksOf(budget: BudgetState, { nowMs, touched, lately }: Sight): Reading[] {
  const { lately: when } = touched;
  if (when === undefined) return [];
  const fromMs = Math.max(when.fromMs, nowMs - limits.budgetLateMs);
  const toMs = Math.min(when.toMs + SLIDING_MS, nowMs);
  const amounts = amountsOf(budget, lately.get(budget.scope) ?? []);
  return slidingPeaks(amounts, fromMs, toMs).map(({ endMs, spent }) =>
    endedReading(budget, endMs - SLIDING_MS, endMs, spent),
  );
}

/** From where windows that slide have to be read: 60 s before the first that is looked at. */
function sinceOf({ lately }: Touched, nowMs: number): number {
  const firstEndMs = Math.min(lately?.fromMs ?? Infinity, nowMs - SLIDING_MS);
  return Math.max(firstEndMs, nowMs - limits.budgetLateMs) - SLIDING_MS;
}

function amountsOf(budget: BudgetState, rows: readonly SpentAt[]): Amount[] {
  return rows.map((row) => ({ atMs: row.atMs, amount: amountOf(budget, row) }));
}

function amountOf({ limit }: BudgetState, spent: Spent): number {
  return limit.unit === 'nanoUsd' ? spent.nanoUsd : spent.tokens;
}

function endedReading(
  { budgetId }: BudgetState,
  windowStartMs: number,
  windowEndMs: number,
  spent: number,
): Reading {
  return { budgetId, windowStartMs, windowEndMs, spent, estimated: 0, heldBy: null };
}

export function readingOf({ budgetId, limit }: BudgetState, figure: Figure): Reading {
  const { window, amount, estimatedNanoUsd, heldBy } = figure;
  const estimated = limit.unit === 'nanoUsd' ? estimatedNanoUsd : 0;
  const { startMs: windowStartMs, endMs: windowEndMs } = window;
  return { budgetId, windowStartMs, windowEndMs, spent: amount, estimated, heldBy };
}

import fc from 'fast-check';
import type { BudgetStep } from '#eventstore/vocabulary/budgets.events.js';
import type { DataOf } from '#eventstore/vocabulary/vocabulary.js';
import type { BudgetEvent, BudgetsState } from './budgets-state.js';
import { budgetsDecider, type BudgetCommand } from './budgets.decider.js';
import { budget, MIDNIGHT } from './budgets.spec-helper.js';
import { ListedSpend, spentAt } from './listed-spend.spec-helper.js';
import { Spend, type Figure } from './spend.js';
import { NoEstimate } from './spend-source.js';
import { standingOf } from './standings.js';
import { isSameWindow } from './windows.js';

/** Late in a day, so that the next one begins while usage comes in. */
const START = MIDNIGHT + 86_400_000 - 4 * 60_000;
const LASTS_MS = 8 * 60_000;

interface Usage {
  readonly afterMs: number;
  readonly nanoUsd: number;
}

/** What `Budgets` does when usage comes in, on a clock of its own. */
class Course {
  readonly events: BudgetEvent[] = [];
  figures: ReadonlyMap<string, Figure> = new Map();
  private state: BudgetsState = budgetsDecider.initial;
  private readonly source = new ListedSpend();
  private readonly spend = new Spend(this.source, new NoEstimate());

  constructor() {
    for (const window of ['minute', 'day'] as const) {
      this.decide({
        type: 'set',
        budget: budget({ budgetId: window, window }),
        reason: '',
        current: null,
      });
    }
    this.events.length = 0;
  }

  async comesIn(usages: readonly Usage[], nowMs: number): Promise<void> {
    const times = usages.map(({ afterMs }) => START + afterMs);
    const [fromMs, toMs] = [Math.min(...times), Math.max(...times)];
    this.source.list.push(...usages.map((it) => spentAt(START + it.afterMs, it.nanoUsd)));
    const lately = usages.length === 0 ? undefined : { fromMs, toMs };
    const touched = { ranges: lately ? [lately] : [], lately, corrected: [], sessions: [] };
    const budgets = [...this.state.budgets.values()];
    await this.spend.prepare(budgets, nowMs, touched);
    const { readings, figures } = this.spend.look(budgets, nowMs, touched);
    this.figures = figures;
    this.decide({ type: 'observe', readings });
  }

  standings(): string[] {
    return [...this.state.budgets.values()].map(
      (it) => standingOf(it, this.figures.get(it.budgetId) ?? null).step,
    );
  }

  private decide(command: BudgetCommand): void {
    const events = budgetsDecider.decide(command, this.state);
    this.state = events.reduce<BudgetsState>(
      (state, event) => budgetsDecider.evolve(state, event),
      this.state,
    );
    this.events.push(...events);
  }
}

const usage = fc.record({
  afterMs: fc.integer({ min: 0, max: LASTS_MS }),
  nanoUsd: fc.integer({ min: 1, max: 60 }),
});
const arrivals = fc.array(usage, { minLength: 1, maxLength: 12 }).chain((usages) =>
  fc.tuple(
    fc.constant(usages.toSorted((a, b) => a.afterMs - b.afterMs)),
    fc.shuffledSubarray(usages, { minLength: usages.length, maxLength: usages.length }),
    fc.array(fc.integer({ min: 1, max: 4 }), {
      minLength: usages.length,
      maxLength: usages.length,
    }),
  ),
);

/** By hand: whether any 60 seconds, or any of the two days, ever held the limit. */
function trips(usages: readonly Usage[]): boolean[] {
  const sum = (of: readonly Usage[]) => of.reduce((total, { nanoUsd }) => total + nanoUsd, 0);
  const minute = usages.some(({ afterMs: end }) => {
    const inside = usages.filter(({ afterMs }) => afterMs > end - 60_000 && afterMs <= end);
    return sum(inside) >= 100;
  });
  const midnight = MIDNIGHT + 86_400_000 - START;
  const days = [true, false].map((isFirst) =>
    usages.filter(({ afterMs }) => afterMs < midnight === isFirst),
  );
  return [minute, days.some((day) => sum(day) >= 100)];
}

type Told = Pick<DataOf<'BudgetTripped'>, 'budgetId' | 'windowStart'> & {
  readonly step: BudgetStep;
};

function expectOnce(events: readonly BudgetEvent[]): void {
  const told = events.flatMap(({ type, data }): Told[] => {
    if (type === 'BudgetTripped') return [{ ...data, step: 'trip' as const }];
    return type === 'BudgetThresholdCrossed' ? [data] : [];
  });
  for (const [index, one] of told.entries()) {
    const window = one.budgetId === 'minute' ? 'minute' : 'day';
    const at = Date.parse(one.windowStart);
    const again = told
      .slice(index + 1)
      .filter((it) => it.budgetId === one.budgetId && it.step === one.step)
      .filter((it) => isSameWindow(window, at, Date.parse(it.windowStart)));
    expect({ one, again }).toEqual({ one, again: [] });
  }
}

describe('Usage, in any order, in any parts and up to ten minutes late,', () => {
  test('comes to the same standing, and tells each step once in a window at most', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, async ([inOrder, shuffled, parts]) => {
        const [prompt, late] = [new Course(), new Course()];
        for (const it of inOrder) await prompt.comesIn([it], START + it.afterMs);
        let taken = 0;
        for (const part of parts) {
          const some = shuffled.slice(taken, taken + part);
          taken += part;
          await late.comesIn(some, START + LASTS_MS);
        }
        for (const course of [prompt, late]) {
          await course.comesIn([], START + LASTS_MS);
          expectOnce(course.events);
        }
        expect(late.standings()).toEqual(prompt.standings());
        const tripped = prompt.standings().map((step) => step === 'trip');
        expect(tripped).toEqual(trips(inOrder));
      }),
      { numRuns: 200 },
    );
  });

  test('is not acted upon when its window ended longer ago', async () => {
    const course = new Course();
    const history = [{ afterMs: -3_600_000, nanoUsd: 500 }];
    await course.comesIn(history, START + LASTS_MS + 10 * 60_000);
    expect(course.events).toEqual([]);
  });
});

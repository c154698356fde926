import type { Budgets } from '#libs/budgets/budgets.js';
import type { Dispatcher } from '#libs/dispatch/dispatcher.js';
import { Reconciler } from '#platform/reconciler.js';
import { isOpen, type DispatchEvent, type DispatchState } from '#libs/dispatch/dispatch-state.js';

const actor = 'policy:task-budgets';

/**
 * What a task may cost in all is a budget of its own, from its first claim until it has ended. Budgets and
 * dispatch meet here: it goes by what stands, so that nothing is missed across restarts.
 */
export class TaskBudgets {
  private readonly ends: (() => void)[] = [];
  private readonly reconciler: Reconciler;

  /** @param report is told why a task has no budget of its own */
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly budgets: Budgets,
    report: (sentence: string) => void,
  ) {
    this.reconciler = new Reconciler(
      async () => {
        await this.settle(await dispatcher.state());
      },
      (reason) => {
        report(`A task has no budget of its own: ${reason}`);
      },
    );
  }

  start(): void {
    const { nudge } = this.reconciler;
    this.ends.push(
      this.dispatcher.listen((events) => {
        if (events.some(concernsTaskBudgets)) nudge();
      }),
      // They may be known only later than dispatch.
      this.budgets.listen(nudge),
    );
    nudge();
  }

  async stop(): Promise<void> {
    for (const end of this.ends) end();
    await this.reconciler.stop();
  }

  private async settle({ running, tasks }: DispatchState): Promise<void> {
    if (!this.budgets.hasBegun) return;
    const limits = [...running.values()].flatMap(({ taskId }) => {
      const amount = tasks.get(taskId)?.spec.maxCostNanoUsd ?? null;
      return amount === null ? [] : [{ taskId, amount }];
    });
    for (const { taskId, amount } of limits) {
      const budgetId = idFor(taskId);
      if (this.budgets.state.budgets.has(budgetId)) continue;
      const budget = {
        ...{ budgetId, scope: `task:${taskId}`, timezone: 'UTC' },
        window: 'total',
        limit: { unit: 'nanoUsd', amount },
        thresholds: { warn: 50, gate: null, pause: null },
        origin: 'task',
      } as const;
      await this.budgets.set(budget, 'What the task may cost.', actor);
    }
    for (const { budgetId, scope } of [...this.budgets.state.budgets.values()]) {
      const taskId = scope.slice('task:'.length);
      if (budgetId !== idFor(taskId) || scope !== `task:${taskId}`) continue;
      const task = tasks.get(taskId);
      if (task !== undefined && isOpen(task.status)) continue;
      await this.budgets.remove(budgetId, 'The task has ended.', actor);
    }
  }
}

function idFor(taskId: string): string {
  return `task-${taskId}`;
}

function concernsTaskBudgets({ type }: DispatchEvent): boolean {
  return (
    type === 'TaskClaimed' ||
    type === 'AttemptCompleted' ||
    type === 'TaskCancelled' ||
    type === 'TaskParked'
  );
}

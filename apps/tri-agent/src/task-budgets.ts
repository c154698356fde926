import type { Budgets } from '#libs/budgets/budgets.js';
import type { Dispatcher } from '#libs/dispatch/dispatcher.js';
import { isOpen, type DispatchEvent, type DispatchState } from '#libs/dispatch/dispatch-state.js';

const actor = 'policy:task-budgets';

/**
 * What a task may cost in all is a budget of its own, from its first claim until it has ended. Budgets and
 * dispatch meet here: it goes by what stands, so that nothing is missed across restarts.
 */
export class TaskBudgets {
  private looking: Promise<void> | undefined;
  private isNews = false;
  private readonly ends: (() => void)[] = [];
  private reported = '';

  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly budgets: Budgets,
    /** Is told why a task has no budget of its own. */
    private readonly report: (sentence: string) => void,
  ) {}

  start(): void {
    const look = (): void => {
      this.look();
    };
    this.ends.push(
      this.dispatcher.listen((events) => {
        if (events.some(concernsTaskBudgets)) look();
      }),
      // They may be known only later than dispatch.
      this.budgets.listen(look),
    );
    look();
  }

  async stop(): Promise<void> {
    for (const end of this.ends) end();
    this.isNews = false;
    await this.looking;
  }

  private look(): void {
    this.isNews = true;
    this.looking ??= this.lookUntilSettled().finally(() => {
      this.looking = undefined;
    });
  }

  private async lookUntilSettled(): Promise<void> {
    while (this.isNews) {
      this.isNews = false;
      try {
        await this.settle(await this.dispatcher.state());
        this.reported = '';
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== this.reported) this.report(`A task has no budget of its own: ${reason}`);
        this.reported = reason;
      }
    }
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
